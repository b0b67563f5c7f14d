#include "nn/parameters.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

std::int64_t product(const std::vector<std::int64_t>& dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    count *= dim;
  }
  return count;
}

class Builder {
 public:
  Builder(double init_scale, std::uint64_t seed) : init_scale_(init_scale), seed_(seed) {}

  void add(const GraphNode& node) {
    const std::int64_t in = node.input.c;
    if (const auto* convolution = std::get_if<ConvolutionSpec>(&node.spec)) {
      add_product(node, {convolution->channels, in, convolution->kernel, convolution->kernel},
                  convolution->bias);
    } else if (const auto* linear = std::get_if<LinearSpec>(&node.spec)) {
      add_product(node, {linear->outputs, in * node.input.h * node.input.w}, linear->bias);
    } else if (const auto* normalization = std::get_if<BatchNormSpec>(&node.spec)) {
      add_constant(node, ParameterRole::scale, ".scale", in, 1);
      add_constant(node, ParameterRole::shift, ".shift", in, 0);
      const auto channels = static_cast<std::size_t>(in);
      state_->statistics.push_back({node.name, normalization->momentum, AlignedVector<float>(channels, 0.0F),
                                    AlignedVector<float>(channels, 1.0F), AlignedVector<float>(channels),
                                    AlignedVector<float>(channels)});
    }
  }

  std::shared_ptr<ModelState> take() { return state_; }

 private:
  void add_product(const GraphNode& node, const std::vector<std::int64_t>& dims, bool bias) {
    Parameter& weight = append(node, ParameterRole::weight, ".weight", dims);
    const std::int64_t fan_in = product(dims) / dims.front();
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
    use_master(weight);
    if (bias) {
      add_constant(node, ParameterRole::bias, ".bias", dims.front(), 0);
    }
  }

  void add_constant(const GraphNode& node, ParameterRole role, const char* suffix, std::int64_t size,
                    float value) {
    Parameter& parameter = append(node, role, suffix, {size});
    std::fill(parameter.master.begin(), parameter.master.end(), value);
    use_master(parameter);
  }

  Parameter& append(const GraphNode& node, ParameterRole role, const char* suffix,
                    const std::vector<std::int64_t>& dims) {
    const auto count = static_cast<std::size_t>(product(dims));
    state_->parameters.push_back({node.name + suffix, role, node.layer, dims, AlignedVector<float>(count),
                                  AlignedVector<float>(count), AlignedVector<float>(count), 0});
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
    builder.add(node);
  }
  return builder.take();
}

void use_master(Parameter& parameter) {
  std::copy(parameter.master.begin(), parameter.master.end(), parameter.working.begin());
  ++parameter.version;
}

}  // namespace adapt
