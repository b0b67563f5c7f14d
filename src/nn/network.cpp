#include "nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "nn/layers/activation.hpp"
#include "nn/layers/addition.hpp"
#include "nn/layers/batch_norm.hpp"
#include "nn/layers/covering_convolution.hpp"
#include "nn/layers/pooling.hpp"
#include "nn/layers/product.hpp"
#include "nn/memory_plan.hpp"
#include "nn/onednn.hpp"
#include "nn/quantized/executor.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

dnnl::memory memory_of(const Shape& s, void* data) {
  return {onednn::activation(s.n, s.c, s.h, s.w), onednn::engine(), data};
}

bool is_quantized(const Graph& graph) {
  return std::ranges::any_of(
      graph.nodes, [](const GraphNode& node) { return std::holds_alternative<QuantizeSpec>(node.spec); });
}

struct FreeAligned {
  void operator()(void* memory) const { ::operator delete(memory, AlignedAllocator<float>::kAlignment); }
};
using Buffer = std::unique_ptr<void, FreeAligned>;

/// Room for `elements` numbers. It is not cleared: a buffer that nobody writes to takes no memory.
Buffer make_buffer(std::size_t elements) {
  return Buffer(::operator new(elements * sizeof(float), AlignedAllocator<float>::kAlignment));
}

/// Parameter tensors of a node.
std::size_t parameters_of(const GraphNode& node) {
  if (const auto* convolution = std::get_if<ConvolutionSpec>(&node.spec)) {
    return convolution->bias ? 2 : 1;
  }
  if (const auto* linear = std::get_if<LinearSpec>(&node.spec)) {
    return linear->bias ? 2 : 1;
  }
  return std::holds_alternative<BatchNormSpec>(node.spec) ? 2 : 0;
}

/// A sum of two gradients of the same value that backward has to make.
struct GradientSum {
  dnnl::binary addition;
  dnnl::memory previous;
  dnnl::memory written;
  dnnl::memory sum;
};

struct CompiledNode {
  std::unique_ptr<Layer> layer;
  std::vector<GradientSum> sums;
};

/// Adds the time until its end to a sum; with null it does nothing.
class Counting {
 public:
  explicit Counting(double* seconds) : seconds_(seconds) {
    if (seconds_ != nullptr) {
      watch_.emplace();
    }
  }
  ~Counting() {
    if (seconds_ != nullptr) {
      *seconds_ += watch_->seconds();
    }
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

 private:
  double* seconds_;
  std::optional<Stopwatch> watch_;
};

}  // namespace

struct Network::Implementation {
  Implementation(const Graph& model, std::shared_ptr<ModelState> shared, bool train, Arithmetic arithmetic)
      : graph(model), state(std::move(shared)), training(train) {
    const MemoryPlan plan = plan_memory(graph, training);
    for (const std::int64_t size : plan.sizes) {
      buffers.push_back(make_buffer(static_cast<std::size_t>(size)));
    }
    make_values(plan);
    if (is_quantized(graph)) {
      const NetworkMemory memory = {plan, data, gradient, [this](const Shape& shape, int index) {
                                      return memory_of(shape, buffer(index));
                                    }};
      executor.emplace(graph, *state, memory, training, arithmetic == Arithmetic::integer);
      return;
    }
    std::size_t parameter = 0;
    std::size_t statistics = 0;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      nodes.push_back(compile(i, plan, parameter, statistics));
    }
  }

  void* buffer(int index) { return index < 0 ? nullptr : buffers[static_cast<std::size_t>(index)].get(); }

  void make_values(const MemoryPlan& plan) {
    for (std::size_t value = 0; value <= graph.nodes.size(); ++value) {
      const Shape& shape = graph.shape(static_cast<int>(value));
      data.push_back(memory_of(shape, buffer(plan.data[value])));
      gradient.push_back(plan.gradient[value] < 0 ? dnnl::memory()
                                                  : memory_of(shape, buffer(plan.gradient[value])));
    }
  }

  CompiledNode compile(std::size_t i, const MemoryPlan& plan, std::size_t& parameter,
                       std::size_t& statistics) {
    const GraphNode& node = graph.nodes[i];
    CompiledNode compiled;
    LayerMemory memory = {{}, data[i + 1], {}, gradient[i + 1]};
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      memory.sources.push_back(data[static_cast<std::size_t>(node.inputs[k])]);
      const InputGradient action = training ? plan.inputs[i][k] : InputGradient{};
      memory.source_gradients.push_back(action.written < 0 ? dnnl::memory()
                                                           : memory_of(node.input, buffer(action.written)));
      if (action.previous >= 0) {
        const dnnl::memory sum = memory_of(node.input, buffer(action.sum));
        compiled.sums.push_back({dnnl::binary(onednn::addition(sum.get_desc())),
                                 memory_of(node.input, buffer(action.previous)),
                                 memory.source_gradients.back(), sum});
      }
    }
    compiled.layer = make_layer(node, memory, parameter, statistics);
    return compiled;
  }

  std::unique_ptr<Layer> make_layer(const GraphNode& node, const LayerMemory& memory, std::size_t& parameter,
                                    std::size_t& statistics) {
    const auto next = [&]() -> Parameter& { return state->parameters.at(parameter++); };
    if (const auto* convolution = std::get_if<ConvolutionSpec>(&node.spec)) {
      Parameter& weight = next();
      Parameter* const bias = convolution->bias ? &next() : nullptr;
      return is_covering(node) ? make_covering_convolution(node, memory, weight, bias, training)
                               : make_convolution(node, memory, weight, bias, training);
    }
    if (const auto* linear = std::get_if<LinearSpec>(&node.spec)) {
      Parameter& weight = next();
      return make_linear(node, memory, weight, linear->bias ? &next() : nullptr, training);
    }
    if (std::holds_alternative<BatchNormSpec>(node.spec)) {
      Parameter& scale = next();
      return make_batch_norm(node, memory, scale, next(), state->statistics.at(statistics++), training);
    }
    if (std::holds_alternative<ActivationSpec>(node.spec)) {
      return make_activation(node, memory, training);
    }
    if (std::holds_alternative<PoolingSpec>(node.spec)) {
      return make_pooling(node, memory, training);
    }
    return make_addition(memory);
  }

  void forward_node(std::size_t i, Pass& pass) {
    if (executor) {
      executor->forward(i, pass);
    } else {
      nodes[i].layer->forward(pass);
    }
  }

  void backward_node(std::size_t i, Pass& pass) {
    if (executor) {
      executor->backward(i, pass);
      return;
    }
    nodes[i].layer->backward(pass);
    for (const GradientSum& sum : nodes[i].sums) {
      onednn::run(sum.addition,
                  {{DNNL_ARG_SRC_0, sum.previous}, {DNNL_ARG_SRC_1, sum.written}, {DNNL_ARG_DST, sum.sum}});
    }
  }

  /// Where the time of node `i` is counted, or null.
  double* clock(std::size_t i, double LayerSeconds::*direction) {
    return layer_seconds.empty() ? nullptr : &(layer_seconds[i].*direction);
  }

  [[nodiscard]] std::span<float> values(const dnnl::memory& memory) const {
    return {static_cast<float*>(memory.get_data_handle()),
            static_cast<std::size_t>(graph.shape(last()).elements())};
  }
  [[nodiscard]] int last() const { return static_cast<int>(graph.nodes.size()); }

  Graph graph;
  std::shared_ptr<ModelState> state;
  bool training;
  std::vector<Buffer> buffers;
  std::vector<dnnl::memory> data;      // by value
  std::vector<dnnl::memory> gradient;  // by value
  std::vector<CompiledNode> nodes;     // of a graph without quantizations
  std::optional<Executor> executor;    // of one with them
  NetworkSeconds seconds;
  std::vector<LayerSeconds> layer_seconds;  // by node, or empty: not counted
};

Network::Network(const Graph& graph, std::shared_ptr<ModelState> state, bool training, Arithmetic arithmetic)
    : implementation_(std::make_unique<Implementation>(graph, std::move(state), training, arithmetic)) {}

Network::~Network() = default;
Network::Network(Network&&) noexcept = default;

int Network::batch() const { return implementation_->graph.image.n; }

LossSum Network::forward(std::span<const float> images, std::span<const std::int32_t> labels, Pass& pass) {
  Implementation& self = *implementation_;
  const bool fits = static_cast<std::int64_t>(images.size()) == self.graph.image.elements() &&
                    labels.size() <= static_cast<std::size_t>(batch()) &&
                    (!self.training || labels.size() == static_cast<std::size_t>(batch()));
  if (!fits) {
    throw Failure(concat("a network for ", batch(), " images was given ", images.size(), " numbers and ",
                         labels.size(), " labels"));
  }
  const Stopwatch watch;
  const double quantize_before = pass.quantize_seconds;
  self.data.front().set_data_handle(const_cast<float*>(images.data()));
  for (std::size_t i = 0; i < self.graph.nodes.size(); ++i) {
    const Counting counting(self.clock(i, &LayerSeconds::forward));
    self.forward_node(i, pass);
  }
  const auto gradient = self.training ? self.values(self.gradient.back()) : std::span<float>();
  const int classes = self.graph.shape(self.last()).c;
  const LossSum sum = softmax_cross_entropy(logits(), labels, classes, gradient);
  const double quantize = pass.quantize_seconds - quantize_before;
  self.seconds.quantize += quantize;
  self.seconds.forward += watch.seconds() - quantize;
  return sum;
}

void Network::backward(Pass& pass, const GradientsReady& ready) {
  Implementation& self = *implementation_;
  const Stopwatch watch;
  const double quantize_before = pass.quantize_seconds;
  double elsewhere = 0;
  std::size_t last = self.state->parameters.size();
  for (std::size_t i = self.graph.nodes.size(); i-- > 0;) {
    {
      const Counting counting(self.clock(i, &LayerSeconds::backward));
      self.backward_node(i, pass);
    }
    const std::size_t parameters = parameters_of(self.graph.nodes[i]);
    if (ready && parameters > 0) {
      const Stopwatch away;
      ready(last - parameters, last);
      elsewhere += away.seconds();
    }
    last -= parameters;
  }
  const double quantize = pass.quantize_seconds - quantize_before;
  self.seconds.quantize += quantize;
  self.seconds.backward += watch.seconds() - quantize - elsewhere;
}

std::string Network::first_not_finite(std::span<const float> images, Pass pass) {
  Implementation& self = *implementation_;
  pass.maxima = nullptr;
  if (!std::isfinite(maximum_magnitude(images))) {
    return "the images";
  }
  self.data.front().set_data_handle(const_cast<float*>(images.data()));
  for (std::size_t i = 0; i < self.nodes.size(); ++i) {
    const GraphNode& node = self.graph.nodes[i];
    self.nodes[i].layer->forward(pass);
    const std::span output(static_cast<const float*>(self.data[i + 1].get_data_handle()),
                           static_cast<std::size_t>(node.output.elements()));
    if (!std::isfinite(maximum_magnitude(output))) {
      return concat("the output of '", node.name, "'");
    }
  }
  return "the loss";
}

std::span<const float> Network::logits() const {
  return implementation_->values(implementation_->data.back());
}

int Network::integer_layers(const Pass& pass) const {
  return implementation_->executor ? implementation_->executor->integer_products(pass) : 0;
}

const NetworkSeconds& Network::seconds() const { return implementation_->seconds; }

void Network::count_layers() {
  Implementation& self = *implementation_;
  self.layer_seconds.clear();
  for (const GraphNode& node : self.graph.nodes) {
    self.layer_seconds.push_back({node.name, 0, 0});
  }
}

const std::vector<LayerSeconds>& Network::layer_seconds() const { return implementation_->layer_seconds; }

}  // namespace adapt
