#include "nn/description.hpp"

#include <utility>

namespace adapt {

ModelBuilder& ModelBuilder::append(const std::string& name, const LayerSpec& spec, std::vector<int> inputs) {
  model_.nodes.push_back({name, spec, std::move(inputs)});
  current_ = static_cast<int>(model_.nodes.size());
  return *this;
}

std::string ModelBuilder::numbered(const std::string& kind) const {
  return kind + std::to_string(model_.nodes.size() + 1);
}

ModelBuilder& ModelBuilder::convolution(const std::string& name, const ConvolutionSpec& spec) {
  return append(name, spec, {current_});
}

ModelBuilder& ModelBuilder::linear(const std::string& name, int outputs) {
  return append(name, LinearSpec{.outputs = outputs}, {current_});
}

ModelBuilder& ModelBuilder::batch_norm(const std::string& name) {
  return append(name, BatchNormSpec{}, {current_});
}

ModelBuilder& ModelBuilder::relu() {
  return append(numbered("relu"), ActivationSpec{Activation::relu}, {current_});
}

ModelBuilder& ModelBuilder::tanh() {
  return append(numbered("tanh"), ActivationSpec{Activation::tanh}, {current_});
}

ModelBuilder& ModelBuilder::max_pool(int kernel) {
  return append(numbered("max_pool"), PoolingSpec{Pooling::maximum, kernel, kernel}, {current_});
}

ModelBuilder& ModelBuilder::average_pool(int kernel) {
  return append(numbered("average_pool"), PoolingSpec{Pooling::average, kernel, kernel}, {current_});
}

ModelBuilder& ModelBuilder::add(const std::string& name, int other) {
  return append(name, AddSpec{}, {current_, other});
}

ModelBuilder& ModelBuilder::from(int value) {
  current_ = value;
  return *this;
}

}  // namespace adapt
