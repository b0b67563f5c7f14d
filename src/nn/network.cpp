#include "nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "base/stopwatch.hpp"
#include "nn/layers/covering_convolution.hpp"
#include "nn/network_memory.hpp"
#include "nn/not_finite.hpp"
#include "nn/onednn.hpp"
#include "nn/quantized/executor.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

using Type = dnnl::memory::data_type;

dnnl::memory::desc float_layout(const Shape& s) { return onednn::activation(s.n, s.c, s.h, s.w); }

bool is_quantized(const Graph& graph) {
  return std::ranges::any_of(graph.nodes,
                             [](const GraphNode& node) { return node.op().quantization().has_value(); });
}

Type value_type(Arithmetic arithmetic) { return arithmetic == Arithmetic::bfloat16 ? Type::bf16 : Type::f32; }

/// As find_lifetimes takes them.
std::vector<JoinedNodes> joined_of(const Graph& graph) {
  return is_quantized(graph) ? joined_nodes(graph) : std::vector<JoinedNodes>();
}

/// A value of another type and its copy in float32, at an end of a network.
struct Cast {
  dnnl::memory floats;
  onednn::PreparedCall call;

  /// From float32 to `value`, or the other way.
  static Cast into(const Shape& shape, const dnnl::memory& value) {
    const dnnl::memory floats(float_layout(shape), onednn::engine());
    return {floats, onednn::prepared_reorder(floats, value)};
  }
  static Cast out_of(const Shape& shape, const dnnl::memory& value) {
    const dnnl::memory floats(float_layout(shape), onednn::engine());
    return {floats, onednn::prepared_reorder(value, floats)};
  }
  void run() const {
    call.run();
    onednn::stream().wait();
  }
};

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

void heed_stop(const Pass& pass) {
  if (pass.heeds_stop) {
    check_stop();
  }
}

}  // namespace

struct Network::Implementation {
  Implementation(const Graph& model, std::shared_ptr<ModelState> shared, bool train, Arithmetic arithmetic)
      : graph(model),
        state(std::move(shared)),
        training(train),
        memory(graph, training, value_type(arithmetic), joined_of(graph), *state->values) {
    for (const GraphNode& node : graph.nodes) {
      parameter_counts.push_back(node.parameters().size());
    }
    if (arithmetic == Arithmetic::bfloat16) {
      make_casts();
    }
    if (is_quantized(graph)) {
      executor.emplace(graph, *state, memory, training, arithmetic == Arithmetic::integer);
      return;
    }
    std::size_t parameter = 0;
    std::size_t statistics = 0;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      check_stop();
      nodes.push_back(compile(i, parameter, statistics));
    }
  }

  /// The images come and the loss is computed in float32.
  void make_casts() {
    image_cast = Cast::into(graph.image, memory.data(0));
    logits_cast = Cast::out_of(graph.shape(last()), memory.data(graph.nodes.size()));
    if (training) {
      gradient_cast = Cast::into(graph.shape(last()), memory.gradient(graph.nodes.size()));
    }
  }

  void set_images(std::span<const float> images) {
    auto* const pixels = const_cast<float*>(images.data());  // oneDNN has no pointer to const
    if (image_cast) {
      image_cast->floats.set_data_handle(pixels);
      image_cast->run();
    } else {
      dnnl::memory(memory.data(0)).set_data_handle(pixels);
    }
  }

  /// Logits, and where the loss leaves their gradient (empty at inference).
  [[nodiscard]] std::span<float> logits() const {
    return values(logits_cast ? logits_cast->floats : memory.data(graph.nodes.size()));
  }
  [[nodiscard]] std::span<float> logits_gradient() const {
    return training ? values(gradient_cast ? gradient_cast->floats : memory.gradient(graph.nodes.size()))
                    : std::span<float>();
  }

  CompiledNode compile(std::size_t i, std::size_t& parameter, std::size_t& statistics) {
    const GraphNode& node = graph.nodes[i];
    CompiledNode compiled;
    LayerMemory places = {{}, memory.data(i + 1), {}, memory.gradient(i + 1)};
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      places.sources.push_back(memory.data(static_cast<std::size_t>(node.inputs[k])));
      const InputGradient action = memory.plan().input_gradient(i, k);
      places.source_gradients.push_back(memory.in_buffer(node.input, action.written));
      if (action.previous >= 0) {
        const dnnl::memory sum = memory.in_buffer(node.input, action.sum);
        compiled.sums.push_back({dnnl::binary(onednn::addition(sum.get_desc())),
                                 memory.in_buffer(node.input, action.previous),
                                 places.source_gradients.back(), sum});
      }
    }
    const std::size_t count = parameter_counts[i];
    const std::span parameters = std::span(state->parameters).subspan(parameter, count);
    parameter += count;
    const bool normalizes = node.op().normalization().has_value();
    compiled.layer =
        node.op().make_layer({node.input, node.output, places, parameters,
                              normalizes ? &state->statistics.at(statistics++) : nullptr, training, i});
    return compiled;
  }

  void forward_node(std::size_t i, Pass& pass) {
    if (executor) {
      executor->forward(i, pass);
    } else {
      memory.provide_forward(i);
      nodes[i].layer->forward(pass);
      if (pass.names_not_finite) {
        check_output(i, pass);
      }
    }
    memory.end_forward(i);
  }

  void check_output(std::size_t i, const Pass& pass) const {
    const GraphNode& node = graph.nodes[i];
    const dnnl::memory floats(float_layout(node.output), onednn::engine());
    onednn::reorder(memory.data(i + 1), floats);
    check_finite(pass, node,
                 {static_cast<const float*>(floats.get_data_handle()),
                  static_cast<std::size_t>(node.output.elements())});
  }

  void backward_node(std::size_t i, Pass& pass) {
    if (executor) {
      executor->backward(i, pass);
    } else {
      backward_layer(i, pass);
    }
    memory.end_backward(i);
  }

  void backward_layer(std::size_t i, Pass& pass) {
    memory.provide_backward(i);
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

  [[nodiscard]] std::span<float> values(const dnnl::memory& floats) const {
    return {static_cast<float*>(floats.get_data_handle()),
            static_cast<std::size_t>(graph.shape(last()).elements())};
  }
  [[nodiscard]] int last() const { return static_cast<int>(graph.nodes.size()); }

  Graph graph;
  std::shared_ptr<ModelState> state;
  bool training;
  NetworkMemory memory;
  std::optional<Cast> image_cast;  // these three only where values are not float32
  std::optional<Cast> logits_cast;
  std::optional<Cast> gradient_cast;
  std::vector<std::size_t> parameter_counts;  // by node
  std::vector<CompiledNode> nodes;            // of a graph without quantizations
  std::optional<Executor> executor;           // of one with them
  NetworkSeconds seconds;
  std::vector<LayerSeconds> layer_seconds;  // by node, or empty: not counted
};

std::int64_t value_bytes(const Graph& graph, bool training, Arithmetic arithmetic) {
  const auto size = static_cast<std::int64_t>(dnnl::memory::data_type_size(value_type(arithmetic)));
  std::int64_t bytes = size * most_elements(graph, training, joined_of(graph));
  if (arithmetic == Arithmetic::bfloat16) {
    const std::int64_t logits = graph.nodes.back().output.elements();
    bytes += size * graph.image.elements() + (training ? 2 : 1) * logits * std::int64_t{sizeof(float)};
  }
  return bytes;
}

std::int64_t weight_copy_bytes(const Graph& graph, bool training) {
  // Forward, backward, gradient, and the dense form of a covering convolution; no backward at inference.
  const std::int64_t copies = training ? 4 : 2;
  std::int64_t elements = 0;
  for (const GraphNode& node : graph.nodes) {
    const std::optional<ProductTerms> product = node.op().product();
    if (!product) {
      continue;
    }
    const bool dense = !product->window || is_covering(*product, node.input, node.output);
    elements += dense ? node.input.elements() / node.input.n * (node.output.elements() / node.output.n)
                      : node.parameters().front().elements();
  }
  return copies * elements * std::int64_t{sizeof(float)};
}

Network::Network(const Graph& graph, std::shared_ptr<ModelState> state, bool training, Arithmetic arithmetic)
    : implementation_(onednn::translated(
          [&] { return std::make_unique<Implementation>(graph, std::move(state), training, arithmetic); })) {}

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
  self.set_images(images);
  if (self.executor) {
    self.executor->begin(pass);
  }
  try {
    for (std::size_t i = 0; i < self.graph.nodes.size(); ++i) {
      heed_stop(pass);
      const Counting counting(self.clock(i, &LayerSeconds::forward));
      onednn::translated([&] { self.forward_node(i, pass); });
    }
  } catch (const NotFinite&) {  // only seen where it was to be quantized
    throw NotFinite(pass, first_not_finite(images, pass));
  }
  if (self.logits_cast) {
    self.logits_cast->run();
  }
  const int classes = self.graph.shape(self.last()).c;
  self.memory.provide(self.memory.plan().gradient.back());
  const LossSum sum =
      softmax_cross_entropy(logits(), labels, classes, self.logits_gradient(), pass.label_smoothing);
  if (self.gradient_cast) {
    self.gradient_cast->run();
  }
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
    heed_stop(pass);
    {
      const Counting counting(self.clock(i, &LayerSeconds::backward));
      onednn::translated([&] { self.backward_node(i, pass); });
    }
    const std::size_t parameters = self.parameter_counts[i];
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
  pass.names_not_finite = true;
  if (!std::isfinite(maximum_magnitude(images))) {
    return "the images";
  }
  self.set_images(images);
  if (self.executor) {
    self.executor->begin(pass);
  }
  try {
    for (std::size_t i = 0; i < self.graph.nodes.size(); ++i) {
      self.forward_node(i, pass);
    }
  } catch (const NotFinite& found) {
    return found.where();
  }
  return "the loss";
}

std::span<const float> Network::logits() const { return implementation_->logits(); }

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
