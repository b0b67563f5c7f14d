#include "train/checkpoint.hpp"

#include <algorithm>
#include <string_view>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "base/state_bytes.hpp"
#include "record/tensor_check.hpp"

namespace adapt {
namespace {

/// Changes with every change of the fields: state is never read as what it is not.
constexpr std::string_view kFormat = "adapt-checkpoint 2\n";
constexpr std::size_t kSealBytes = 65;  // 64 hexadecimal digits and the end of the line
constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostDims = 8;
constexpr std::size_t kTensorHead = 256;  // for a tensor's name, dimensions and formats

std::string seal_of(std::span<const std::byte> bytes) { return sha256(bytes) + "\n"; }

void put(StateWriter& writer, const std::optional<FixedFormat>& format) {
  const FixedFormat stored = format.value_or(FixedFormat{0, 0});
  writer.put(stored.word_length);
  writer.put(stored.fractional_length);
}

std::optional<FixedFormat> get_format(StateReader& reader) {
  const int word_length = reader.get<int>();
  const int fractional_length = reader.get<int>();
  return word_length == 0 ? std::nullopt : std::optional(FixedFormat{word_length, fractional_length});
}

void put(StateWriter& writer, const std::vector<ModelTensor>& tensors) {
  writer.put(tensors.size());
  for (const ModelTensor& tensor : tensors) {
    writer.put_text(tensor.name);
    writer.put_all(std::span<const std::int64_t>(tensor.dims));
    for (const auto& format : {tensor.format, tensor.inputs, tensor.outputs, tensor.operands}) {
      put(writer, format);
    }
    writer.put_all(std::span<const std::int32_t>(tensor.integers));
    writer.put_all(std::span<const float>(tensor.numbers));
  }
}

/// About the bytes of the tensors.
std::size_t size_of(const std::vector<ModelTensor>& tensors) {
  std::size_t size = 0;
  for (const ModelTensor& tensor : tensors) {
    size +=
        kTensorHead + tensor.integers.size() * sizeof(std::int32_t) + tensor.numbers.size() * sizeof(float);
  }
  return size;
}

std::vector<ModelTensor> get_tensors(StateReader& reader, std::size_t most_elements) {
  std::vector<ModelTensor> tensors;
  for (auto left = reader.get<std::size_t>(); left > 0; --left) {
    ModelTensor tensor;
    tensor.name = reader.get_text(kLongestText);
    tensor.dims = reader.get_all<std::int64_t>(0, kMostDims);
    for (auto* format : {&tensor.format, &tensor.inputs, &tensor.outputs, &tensor.operands}) {
      *format = get_format(reader);
    }
    tensor.integers = reader.get_all<std::int32_t>(0, most_elements);
    tensor.numbers = reader.get_all<float>(0, most_elements);
    if (const std::string flaw = flaw_of(tensor); !flaw.empty()) {
      throw BadInput(concat("its tensor '", tensor.name, "' ", flaw));
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

/// What lies between format and seal. Throws BadInput unless both are as they should be.
std::span<const std::byte> checked_content(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  constexpr std::string_view kName = kFormat.substr(0, kFormat.find(' ') + 1);
  if (!text.starts_with(kName)) {
    throw BadInput("it does not start as a checkpoint does");
  }
  if (bytes.size() < kFormat.size() + kSealBytes ||
      text.substr(bytes.size() - kSealBytes) != seal_of(bytes.first(bytes.size() - kSealBytes))) {
    throw BadInput(concat("it is damaged or cut short: its ", bytes.size(),
                          " bytes do not have the digest that its last line should give"));
  }
  if (!text.starts_with(kFormat)) {
    throw BadInput(concat("its format is '", text.substr(0, std::min(text.find('\n'), kFormat.size())),
                          "', this program knows '", kFormat.substr(0, kFormat.size() - 1), "'"));
  }
  return bytes.subspan(kFormat.size(), bytes.size() - kFormat.size() - kSealBytes);
}

}  // namespace

std::vector<std::byte> encode(const Checkpoint& checkpoint) {
  StateWriter writer;
  writer.reserve(2 * kLongestText + size_of(checkpoint.model) + size_of(checkpoint.best_model) +
                 checkpoint.state.size());
  writer.append(std::as_bytes(std::span(kFormat)));
  writer.put_text(checkpoint.identity);
  writer.put(checkpoint.step);
  writer.put(checkpoint.epochs);
  writer.put(checkpoint.best_epoch);
  put(writer, checkpoint.model);
  put(writer, checkpoint.best_model);
  writer.put_all(std::span<const std::byte>(checkpoint.state));
  const std::string seal = seal_of(writer.bytes());
  writer.append(std::as_bytes(std::span(seal)));
  return writer.take();
}

Checkpoint decode(std::span<const std::byte> bytes) {
  const std::span<const std::byte> content = checked_content(bytes);
  StateReader reader(content);
  Checkpoint checkpoint;
  checkpoint.identity = reader.get_text(kLongestText);
  checkpoint.step = reader.get<std::int64_t>();
  checkpoint.epochs = reader.get<std::int64_t>();
  checkpoint.best_epoch = reader.get<std::int64_t>();
  checkpoint.model = get_tensors(reader, content.size());
  checkpoint.best_model = get_tensors(reader, content.size());
  checkpoint.state = reader.get_all<std::byte>(0, content.size());
  reader.finish();
  if (checkpoint.step < 0 || checkpoint.epochs < 0 || checkpoint.best_epoch < 0 ||
      checkpoint.best_epoch > checkpoint.epochs) {
    throw BadInput(concat("it is of step ", checkpoint.step, ", epoch ", checkpoint.epochs,
                          ", the best one being ", checkpoint.best_epoch,
                          "; expected 0 or more, and the best epoch no later than the last"));
  }
  return checkpoint;
}

}  // namespace adapt
