#include "record/onnx_weights.hpp"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/terminal.hpp"

namespace adapt {
namespace {

/// Far more than any network has, so that products of sizes stay small.
constexpr std::int64_t kMostElements = std::int64_t{1} << 31U;

BadInput refusal(const std::string& source, const onnx::TensorProto& tensor, const std::string& flaw) {
  return BadInput(concat(source, ": initializer '", printable_line(tensor.name()), "' ", flaw));
}

std::size_t elements_of(const onnx::TensorProto& tensor, const std::string& source) {
  std::int64_t elements = 1;
  for (const std::int64_t dim : tensor.dims()) {
    if (dim < 1 || dim > kMostElements / elements) {
      throw refusal(source, tensor,
                    concat("has a dimension of ", dim, "; expected positive ones, 2^31 elements at most"));
    }
    elements *= dim;
  }
  return static_cast<std::size_t>(elements);
}

/// `typed` or the raw bytes, whichever are there.
template <class Number, class Typed>
std::vector<float> numbers_of(const onnx::TensorProto& tensor, const Typed& typed,
                              const std::string& source) {
  const std::size_t elements = elements_of(tensor, source);
  const std::string& raw = tensor.raw_data();
  const bool is_raw = tensor.has_raw_data();
  const std::size_t found = is_raw ? raw.size() : static_cast<std::size_t>(typed.size()) * sizeof(Number);
  if (found != elements * sizeof(Number)) {
    throw refusal(source, tensor,
                  concat("has ", found, " bytes of numbers; expected ", elements * sizeof(Number),
                         " for its dimensions"));
  }
  if (!is_raw) {
    return {typed.begin(), typed.end()};
  }
  std::vector<Number> numbers(elements);
  std::memcpy(numbers.data(), raw.data(), raw.size());
  return {numbers.begin(), numbers.end()};
}

ModelTensor tensor_of(const onnx::TensorProto& tensor, const std::string& source) {
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    throw refusal(source, tensor, "has its numbers in another file; expected all in this one");
  }
  ModelTensor made = {tensor.name(), {tensor.dims().begin(), tensor.dims().end()}, {}, {}, {}};
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      made.numbers = numbers_of<float>(tensor, tensor.float_data(), source);
      return made;
    case onnx::TensorProto::DOUBLE:
      made.numbers = numbers_of<double>(tensor, tensor.double_data(), source);
      return made;
    default:
      throw refusal(
          source, tensor,
          concat("is of the data type ", tensor.data_type(), "; expected float32 (1) or float64 (11)"));
  }
}

/// Weights of matrix products that stand as (I, O).
std::set<std::string> input_first(const onnx::GraphProto& graph) {
  std::map<std::string, std::string> same;  // by name: what it is another name of
  std::set<std::string> names;
  for (const onnx::NodeProto& node : graph.node()) {  // sources come before what reads them
    if (node.op_type() == "Identity" && node.input_size() == 1 && node.output_size() == 1) {
      const auto original = same.find(node.input(0));
      same[node.output(0)] = original == same.end() ? node.input(0) : original->second;
    }
    const bool is_transposed =
        std::any_of(node.attribute().begin(), node.attribute().end(),
                    [](const auto& attribute) { return attribute.name() == "transB" && attribute.i() != 0; });
    if (node.input_size() > 1 &&
        (node.op_type() == "MatMul" || (node.op_type() == "Gemm" && !is_transposed))) {
      const auto original = same.find(node.input(1));
      names.insert(original == same.end() ? node.input(1) : original->second);
    }
  }
  return names;
}

void transpose(ModelTensor& tensor) {
  if (tensor.dims.size() != 2) {
    return;
  }
  const auto rows = static_cast<std::size_t>(tensor.dims[0]);
  const auto columns = static_cast<std::size_t>(tensor.dims[1]);
  std::vector<float> turned(tensor.numbers.size());
  for (std::size_t i = 0; i < turned.size(); ++i) {
    turned[i % columns * rows + i / columns] = tensor.numbers[i];
  }
  tensor.numbers = std::move(turned);
  std::swap(tensor.dims[0], tensor.dims[1]);
}

}  // namespace

std::vector<ModelTensor> read_onnx_weights(std::span<const std::byte> bytes, const std::string& source) {
  onnx::ModelProto model;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    throw BadInput(concat(source, ": not a model of ONNX, or more than 2 GiB"));
  }
  const std::set<std::string> turned = input_first(model.graph());
  std::vector<ModelTensor> tensors;
  for (const onnx::TensorProto& initializer : model.graph().initializer()) {
    if (initializer.data_type() == onnx::TensorProto::INT64) {
      continue;
    }
    tensors.push_back(tensor_of(initializer, source));
    if (turned.contains(initializer.name())) {
      transpose(tensors.back());
    }
  }
  return tensors;
}

}  // namespace adapt
