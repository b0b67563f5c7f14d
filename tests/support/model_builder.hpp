#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "nn/model_file.hpp"
#include "nn/models.hpp"

namespace adapt {

struct ConvolutionOptions {
  int channels = 0;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  bool bias = true;
  int groups = 1;
};

/// Writes a model file down, layer after layer; each call takes the current value as input and makes its
/// output the current one.
class ModelBuilder {
 public:
  explicit ModelBuilder(const std::string& name)
      : text_(concat("name: ", name, "\nimage: [1, 1, 1]\nlayers:\n")) {}

  ModelBuilder& convolution(const std::string& name, const ConvolutionOptions& options) {
    return append("convolution", name,
                  concat(", channels: ", options.channels, ", kernel: ", options.kernel,
                         ", stride: ", options.stride, ", padding: ", options.padding,
                         ", groups: ", options.groups, ", bias: ", options.bias ? "true" : "false"));
  }
  ModelBuilder& linear(const std::string& name, int outputs) {
    return append("linear", name, concat(", outputs: ", outputs));
  }
  ModelBuilder& batch_norm(const std::string& name) { return append("batch_norm", name, ""); }
  ModelBuilder& relu() { return append("relu", numbered("relu"), ""); }
  ModelBuilder& tanh() { return append("tanh", numbered("tanh"), ""); }
  ModelBuilder& max_pool(int kernel) {
    return append("max_pool", numbered("max_pool"), concat(", kernel: ", kernel));
  }
  ModelBuilder& average_pool(int kernel) {
    return append("average_pool", numbered("average_pool"), concat(", kernel: ", kernel));
  }
  /// Adds `other` to the current value.
  ModelBuilder& add(const std::string& name, int other) {
    return append("add", name, "", concat(", ", names_[static_cast<std::size_t>(other)]));
  }

  /// The current value, to come back to; 0 is the image.
  [[nodiscard]] int value() const { return current_; }
  /// Goes on from `value`.
  ModelBuilder& from(int value) {
    current_ = value;
    return *this;
  }

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] ModelDescription build() const { return read_model(text_, "test", /*classes=*/10); }

 private:
  ModelBuilder& append(const std::string& kind, const std::string& name, const std::string& options,
                       const std::string& other = "") {
    text_ += concat("  - ", kind, ": {name: ", name, ", from: [", names_[static_cast<std::size_t>(current_)],
                    other, "]", options, "}\n");
    names_.push_back(name);
    current_ = static_cast<int>(names_.size()) - 1;
    return *this;
  }
  /// A name for a layer without parameters: `kind` and a running number.
  [[nodiscard]] std::string numbered(const std::string& kind) const {
    return kind + std::to_string(names_.size());
  }

  std::string text_;
  std::vector<std::string> names_ = {"input"};  // by value
  int current_ = 0;
};

/// The shipped family of residual networks with `blocks` blocks in each stage.
inline ModelDescription small_resnet(int classes, int blocks) {
  return read_model(
      concat("name: small\nbase: resnet20\nparameters: {blocks: ", blocks, ", more: ", blocks - 1, "}\n"),
      "test", classes);
}

}  // namespace adapt
