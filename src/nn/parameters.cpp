#include "nn/parameters.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

class Builder {
 public:
  Builder(double init_scale, std::uint64_t seed) : init_scale_(init_scale), seed_(seed) {}

  void add(const GraphNode& node) {
    for (const ParameterShape& shape : node.parameters()) {
      Parameter& parameter = append(node, shape);
      if (shape.role == ParameterRole::weight) {
        draw(parameter);
      } else {
        std::ranges::fill(parameter.master, shape.role == ParameterRole::scale ? 1.0F : 0.0F);
      }
      use_master(parameter);
    }
    if (const auto normalization = node.op().normalization()) {
      const auto channels = static_cast<std::size_t>(node.input.c);
      state_->statistics.push_back({node.name, normalization->momentum, AlignedVector<float>(channels, 0.0F),
                                    AlignedVector<float>(channels, 1.0F), AlignedVector<float>(channels),
                                    AlignedVector<float>(channels)});
    }
  }

  std::shared_ptr<ModelState> take() { return state_; }

 private:
  void draw(Parameter& weight) const {
    const std::int64_t fan_in = weight.size() / weight.dims.front();
    const double deviation = std::sqrt(init_scale_ / static_cast<double>(fan_in));
    const double bound = std::sqrt(3.0) * deviation;
    RandomSequence random({.seed = seed_,
                           .stream = Stream::initialization,
                           .tensor = static_cast<std::uint32_t>(state_->parameters.size() - 1)});
    std::generate(weight.master.begin(), weight.master.end(), [&] {
      double value = 0;
      do {
        value = deviation * random.normal();
      } while (std::abs(value) > bound);
      return static_cast<float>(value);
    });
  }

  Parameter& append(const GraphNode& node, const ParameterShape& shape) {
    const auto count = static_cast<std::size_t>(shape.elements());
    state_->parameters.push_back({node.name + shape.suffix, shape.role, node.layer, shape.dims,
                                  AlignedVector<float>(count), AlignedVector<float>(count),
                                  AlignedVector<float>(count), 0});
    return state_->parameters.back();
  }

  double init_scale_;
  std::uint64_t seed_;
  std::shared_ptr<ModelState> state_ = std::make_shared<ModelState>();
};

}  // namespace

std::size_t ModelState::find(const std::string& name) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) {
      return i;
    }
  }
  throw Failure(concat("the model has no parameter '", name, "'"));
}

std::shared_ptr<ModelState> initialize(const Graph& graph, double init_scale, std::uint64_t seed) {
  Builder builder(init_scale, seed);
  for (const GraphNode& node : graph.nodes) {
    check_stop();
    builder.add(node);
  }
  return builder.take();
}

std::int64_t parameter_elements(const Graph& graph) {
  std::int64_t elements = 0;
  for (const GraphNode& node : graph.nodes) {
    for (const ParameterShape& shape : node.parameters()) {
      elements += shape.elements();
    }
  }
  return elements;
}

void use_master(Parameter& parameter) {
  std::copy(parameter.master.begin(), parameter.master.end(), parameter.working.begin());
  ++parameter.version;
}

}  // namespace adapt
