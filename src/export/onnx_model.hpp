#pragma once

#include <onnx/onnx_pb.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nn/operation.hpp"
#include "nn/shape.hpp"

namespace adapt {

/// An ONNX model in the making: values are known by name, maps are (N, C, H, W) with N open.
class OnnxModel {
 public:
  using Names = std::vector<std::string>;
  using Dims = std::vector<std::int64_t>;

  /// A network for images of that shape, which are called `images`.
  OnnxModel(const std::string& name, const Shape& image);

  /// A node of ONNX's own operators with one output, which bears its name.
  onnx::NodeProto& add(const std::string& type, const Names& inputs, const std::string& output);
  /// The same of other operators; the model says that it uses version 1 of their domain.
  onnx::NodeProto& add(const std::string& domain, const std::string& type, const Names& inputs,
                       const std::string& output);

  // Constants; each returns its name.
  std::string constant(const std::string& name, const Dims& dims, std::span<const float> values);
  std::string constant(const std::string& name, const Dims& dims, std::span<const std::int32_t> values);
  std::string constant(const std::string& name, const Dims& dims, std::span<const std::int8_t> values);
  /// One number (no dimensions), the same for all who ask for its value.
  std::string number(float value);
  std::string byte(std::uint8_t value);

  /// What shape inference, which knows ONNX's own operators only, cannot find out: that `name` has float32
  /// numbers and these dimensions; -1 is N.
  void declare(const std::string& name, const Dims& dims);

  /// A note for people and programs.
  void note(const std::string& key, const std::string& value);

  /// The model with `logits` (N, classes) as its output, checked by ONNX's checker and shape inference.
  /// Throws Failure with what they say.
  std::vector<std::byte> finish(int classes);

 private:
  onnx::TensorProto& tensor(const std::string& name, const Dims& dims, int type);
  [[nodiscard]] bool has(const std::string& name) const;

  onnx::ModelProto model_;
};

/// Attributes of a node.
void set(onnx::NodeProto& node, const char* name, std::int64_t value);
void set(onnx::NodeProto& node, const char* name, float value);
void set(onnx::NodeProto& node, const char* name, const char* value);
void set(onnx::NodeProto& node, const char* name, const std::vector<std::int64_t>& values);
/// kernel_shape, strides and pads of a window over maps.
void set(onnx::NodeProto& node, const Window& window);

}  // namespace adapt
