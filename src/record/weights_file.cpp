#include "record/weights_file.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "record/npz.hpp"
#include "record/onnx_weights.hpp"
#include "record/run_file.hpp"
#include "record/tensor_check.hpp"

namespace adapt {
namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{4} << 30U;

/// What `adapt export` adds, and what PyTorch counts.
bool is_no_tensor(const std::string& name) {
  return name == "network" || name == "graph" || name.ends_with(".num_batches_tracked");
}

std::filesystem::path file_of(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path / "run.h5" : path;
}

template <class From, class To>
std::vector<To> converted(const NpzArray& array) {
  std::vector<From> values(array.bytes.size() / sizeof(From));
  std::memcpy(values.data(), array.bytes.data(), values.size() * sizeof(From));
  return {values.begin(), values.end()};
}

/// The format that the member `network` of an exported archive has for a tensor.
std::optional<FixedFormat> format_of(const Json& network, const std::string& name) {
  const Json* tensors = find_member(network, "tensors");
  const Json* tensor = tensors == nullptr ? nullptr : find_member(*tensors, name);
  const Json* format = tensor == nullptr ? nullptr : find_member(*tensor, "format");
  if (format == nullptr || !format->is_array() || format->size() != 2 || !(*format)[0].is_number_integer() ||
      !(*format)[1].is_number_integer()) {
    return std::nullopt;
  }
  const auto number = [&](std::size_t i) {
    constexpr std::int64_t kFar = 1 << 20;  // from any format
    return static_cast<int>(std::clamp((*format)[i].get<std::int64_t>(), -kFar, kFar));
  };
  return FixedFormat{number(0), number(1)};
}

ModelTensor tensor_of(const NpzArray& array, const Json& network, const std::string& path) {
  ModelTensor tensor = {array.name, array.dims, format_of(network, array.name), {}, {}};
  if (tensor.format && array.type == "|i1") {
    tensor.integers = converted<std::int8_t, std::int32_t>(array);
  } else if (tensor.format && array.type == "<i2") {
    tensor.integers = converted<std::int16_t, std::int32_t>(array);
  } else if (tensor.format && array.type == "<i4") {
    tensor.integers = converted<std::int32_t, std::int32_t>(array);
  } else if (!tensor.format && array.type == "<f4") {
    tensor.numbers = converted<float, float>(array);
  } else if (!tensor.format && array.type == "<f8") {
    tensor.numbers = converted<double, float>(array);
  } else {
    throw BadInput(concat(path, ": '", array.name, "' is of type '", array.type,
                          "'; expected float32 or float64, or an archive of adapt export --to arrays"));
  }
  if (const std::string flaw = flaw_of(tensor); !flaw.empty()) {
    throw BadInput(concat(path, ": '", array.name, "' ", flaw));
  }
  return tensor;
}

/// PyTorch calls the parameters of a batch norm as it does those of other layers.
void rename_normalizations(std::vector<ModelTensor>& tensors) {
  constexpr std::string_view kMean = ".running_mean";
  std::set<std::string> normalizations;
  for (const ModelTensor& tensor : tensors) {
    if (tensor.name.ends_with(kMean)) {
      normalizations.insert(tensor.name.substr(0, tensor.name.size() - kMean.size()));
    }
  }
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {".weight", ".scale"}, {".bias", ".shift"}, {".running_var", ".running_variance"}};
  for (ModelTensor& tensor : tensors) {
    for (const auto& [theirs, ours] : kWords) {
      const std::string layer =
          tensor.name.substr(0, tensor.name.size() - std::min(theirs.size(), tensor.name.size()));
      if (tensor.name.ends_with(theirs) && normalizations.contains(layer)) {
        tensor.name = layer + std::string(ours);
        break;
      }
    }
  }
}

std::vector<ModelTensor> read_archive(const std::vector<std::byte>& bytes, const std::string& path) {
  const std::vector<NpzArray> arrays = read_npz(bytes, path);
  Json network;
  if (const auto found = std::ranges::find(arrays, "network", &NpzArray::name); found != arrays.end()) {
    network = parse_json({reinterpret_cast<const char*>(found->bytes.data()), found->bytes.size()}, path);
  }
  std::vector<ModelTensor> tensors;
  for (const NpzArray& array : arrays) {
    if (!is_no_tensor(array.name)) {
      tensors.push_back(tensor_of(array, network, path));
    }
  }
  rename_normalizations(tensors);
  return tensors;
}

}  // namespace

std::string weights_digest(const std::filesystem::path& path) {
  return sha256(read_file(file_of(path), kLargestFile));
}

StartingWeights read_weights(const std::filesystem::path& path, const std::string& digest) {
  const std::vector<std::byte> bytes = read_file(file_of(path), kLargestFile);
  if (sha256(bytes) != digest) {
    throw BadInput(concat(file_of(path).string(), " has changed: it does not have the SHA-256 ", digest,
                          " that model.weights_sha256 says"));
  }
  const bool is_run = std::filesystem::is_directory(path) || path.extension() == ".h5";
  if (!is_run && path.extension() == ".onnx") {
    StartingWeights weights = {read_onnx_weights(bytes, path.string()), /*channels_first=*/true};
    rename_normalizations(weights.tensors);
    return weights;
  }
  if (!is_run) {
    return {read_archive(bytes, path.string())};
  }
  const RunFile file(path);
  if (file.model().empty()) {
    throw BadInput(concat(path.string(), " holds no model: the run ended before its first epoch did"));
  }
  return {file.model()};
}

}  // namespace adapt
