#include "export/onnx_model.hpp"

#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <exception>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr int kIrVersion = 7;  // of ONNX 1.8, the first with opset 13
constexpr int kOpset = 13;

void add_value(onnx::ValueInfoProto& value, const std::string& name, const OnnxModel::Dims& dims) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t dim : dims) {
    onnx::TensorShapeProto::Dimension& added = *type.mutable_shape()->add_dim();
    if (dim < 0) {
      added.set_dim_param("N");
    } else {
      added.set_dim_value(dim);
    }
  }
}

onnx::AttributeProto& attribute(onnx::NodeProto& node, const char* name,
                                onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& added = *node.add_attribute();
  added.set_name(name);
  added.set_type(type);
  return added;
}

}  // namespace

OnnxModel::OnnxModel(const std::string& name, const Shape& image) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("adapt");
  model_.add_opset_import()->set_version(kOpset);
  model_.mutable_graph()->set_name(name);
  add_value(*model_.mutable_graph()->add_input(), "images", {-1, image.c, image.h, image.w});
}

onnx::NodeProto& OnnxModel::add(const std::string& type, const Names& inputs, const std::string& output) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_name(output);
  node.set_op_type(type);
  for (const std::string& input : inputs) {
    node.add_input(input);
  }
  node.add_output(output);
  return node;
}

onnx::NodeProto& OnnxModel::add(const std::string& domain, const std::string& type, const Names& inputs,
                                const std::string& output) {
  const auto& imports = model_.opset_import();
  if (std::ranges::none_of(imports, [&](const auto& import) { return import.domain() == domain; })) {
    onnx::OperatorSetIdProto& import = *model_.add_opset_import();
    import.set_domain(domain);
    import.set_version(1);
  }
  onnx::NodeProto& node = add(type, inputs, output);
  node.set_domain(domain);
  return node;
}

onnx::TensorProto& OnnxModel::tensor(const std::string& name, const Dims& dims, int type) {
  onnx::TensorProto& added = *model_.mutable_graph()->add_initializer();
  added.set_name(name);
  added.set_data_type(type);
  for (const std::int64_t dim : dims) {
    added.add_dims(dim);
  }
  return added;
}

bool OnnxModel::has(const std::string& name) const {
  return std::ranges::any_of(model_.graph().initializer(),
                             [&](const onnx::TensorProto& constant) { return constant.name() == name; });
}

std::string OnnxModel::constant(const std::string& name, const Dims& dims, std::span<const float> values) {
  tensor(name, dims, onnx::TensorProto::FLOAT).set_raw_data(values.data(), values.size_bytes());
  return name;
}

std::string OnnxModel::constant(const std::string& name, const Dims& dims,
                                std::span<const std::int32_t> values) {
  tensor(name, dims, onnx::TensorProto::INT32).set_raw_data(values.data(), values.size_bytes());
  return name;
}

std::string OnnxModel::constant(const std::string& name, const Dims& dims,
                                std::span<const std::int8_t> values) {
  tensor(name, dims, onnx::TensorProto::INT8).set_raw_data(values.data(), values.size_bytes());
  return name;
}

std::string OnnxModel::number(float value) {
  const std::string name = concat("number.", value);
  return has(name) ? name : constant(name, {}, std::span<const float>(&value, 1));
}

std::string OnnxModel::byte(std::uint8_t value) {
  const std::string name = concat("byte.", int{value});
  if (!has(name)) {
    tensor(name, {}, onnx::TensorProto::UINT8).set_raw_data(&value, 1);
  }
  return name;
}

void OnnxModel::declare(const std::string& name, const Dims& dims) {
  add_value(*model_.mutable_graph()->add_value_info(), name, dims);
}

void OnnxModel::note(const std::string& key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *model_.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

std::vector<std::byte> OnnxModel::finish(int classes) {
  add_value(*model_.mutable_graph()->add_output(), "logits", {-1, classes});
  try {
    onnx::checker::check_model(model_);
    onnx::ModelProto inferred = model_;  // what it infers is not kept: readers do it themselves
    onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(),
                                       {/*check_type=*/true, /*strict_mode=*/1});
  } catch (const std::exception& error) {
    throw Failure(concat("ONNX's checker refuses the exported model: ", error.what()));
  }
  std::vector<std::byte> bytes(model_.ByteSizeLong());
  model_.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

void set(onnx::NodeProto& node, const char* name, std::int64_t value) {
  attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void set(onnx::NodeProto& node, const char* name, float value) {
  attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

void set(onnx::NodeProto& node, const char* name, const char* value) {
  attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

void set(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& added = attribute(node, name, onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) {
    added.add_ints(value);
  }
}

void set(onnx::NodeProto& node, const Window& window) {
  set(node, "kernel_shape", {window.kernel, window.kernel});
  set(node, "strides", {window.stride, window.stride});
  set(node, "pads", {window.padding, window.padding, window.padding, window.padding});
}

}  // namespace adapt
