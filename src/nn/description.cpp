#include "nn/description.hpp"

#include <utility>

namespace adapt {

ModelBuilder& ModelBuilder::append(const std::string& name, OperationPtr operation, std::vector<int> inputs) {
  model_.nodes.push_back({name, std::move(operation), std::move(inputs)});
  current_ = static_cast<int>(model_.nodes.size());
  return *this;
}

std::string ModelBuilder::numbered(const std::string& kind) const {
  return kind + std::to_string(model_.nodes.size() + 1);
}

ModelBuilder& ModelBuilder::convolution(const std::string& name, const ops::ConvolutionOptions& options) {
  return append(name, ops::convolution(options), {current_});
}

ModelBuilder& ModelBuilder::linear(const std::string& name, int outputs) {
  return append(name, ops::linear(outputs), {current_});
}

ModelBuilder& ModelBuilder::batch_norm(const std::string& name) {
  return append(name, ops::batch_norm(), {current_});
}

ModelBuilder& ModelBuilder::relu() {
  return append(numbered("relu"), ops::activation(Activation::relu), {current_});
}

ModelBuilder& ModelBuilder::tanh() {
  return append(numbered("tanh"), ops::activation(Activation::tanh), {current_});
}

ModelBuilder& ModelBuilder::max_pool(int kernel) {
  return append(numbered("max_pool"), ops::pooling(Pooling::maximum, kernel, kernel), {current_});
}

ModelBuilder& ModelBuilder::average_pool(int kernel) {
  return append(numbered("average_pool"), ops::pooling(Pooling::average, kernel, kernel), {current_});
}

ModelBuilder& ModelBuilder::add(const std::string& name, int other) {
  return append(name, ops::addition(), {current_, other});
}

ModelBuilder& ModelBuilder::from(int value) {
  current_ = value;
  return *this;
}

}  // namespace adapt
