#include "nn/network.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/layer_steps.hpp"
#include "nn/layers/full_map_convolution.hpp"
#include "nn/network_memory.hpp"
#include "nn/not_finite.hpp"
#include "nn/passes/fusion.hpp"
#include "nn/quantized/layers.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

using Type = dnnl::memory::data_type;

dnnl::memory::desc float_layout(const Shape& s) { return onednn::activation(s.n, s.c, s.h, s.w); }

Type value_type(Arithmetic arithmetic) { return arithmetic == Arithmetic::bfloat16 ? Type::bf16 : Type::f32; }

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

}  // namespace

struct Network::Implementation {
  Implementation(const Graph& model, std::shared_ptr<ModelState> shared, bool train, Arithmetic arithmetic)
      : graph(model),
        state(std::move(shared)),
        training(train),
        memory(graph, training, value_type(arithmetic), joined_nodes(graph), *state->values) {
    if (arithmetic == Arithmetic::bfloat16) {
      make_casts();
    }
    std::vector<Step> steps;
    if (graph.is_quantized()) {
      layers.emplace(graph, *state, memory, training, arithmetic == Arithmetic::integer);
      steps = layers->steps();
    } else {
      steps = layer_steps(graph, *state, memory, training);
    }
    for (Step& step : steps) {
      executor.add(std::move(step));
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

  void run_forward(Pass& pass) {
    if (layers) {
      layers->select(pass);
    }
    executor.forward(pass);
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
  std::optional<QuantizedLayers> layers;  // of a graph with quantizations
  Executor executor;
  NetworkSeconds seconds;
};

std::int64_t value_bytes(const Graph& graph, bool training, Arithmetic arithmetic) {
  const auto size = static_cast<std::int64_t>(dnnl::memory::data_type_size(value_type(arithmetic)));
  std::int64_t bytes = size * most_elements(graph, training, joined_nodes(graph));
  if (arithmetic == Arithmetic::bfloat16) {
    const std::int64_t logits = graph.nodes.back().output.elements();
    bytes += size * graph.image.elements() + (training ? 2 : 1) * logits * std::int64_t{sizeof(float)};
  }
  return bytes;
}

std::int64_t weight_copy_bytes(const Graph& graph, bool training, Arithmetic arithmetic) {
  const bool has_formats = graph.is_quantized();
  std::int64_t elements = 0;
  std::int64_t largest = 0;
  for (const GraphNode& node : graph.nodes) {
    const std::optional<ProductTerms> product = node.op().product();
    if (!product) {
      continue;
    }
    const bool dense = !has_formats && (!product->window || is_full_map(*product, node.input, node.output));
    const std::int64_t size =
        dense ? node.input.elements() / node.input.n * (node.output.elements() / node.output.n)
              : node.parameters().front().elements();
    elements += size;
    largest = std::max(largest, size);
  }
  constexpr std::int64_t kFloat = sizeof(float);
  if (!has_formats) {
    // Forward, backward, gradient, and the dense form of a full-map convolution; no backward at inference.
    return (training ? 4 : 2) * elements * kFloat;
  }
  // The panels of forward and backward, and the weights that these are made of; as words twice those. The
  // sums of a weight gradient are there in float32 and double.
  const std::int64_t copies = (training ? 3 : 1) + (arithmetic == Arithmetic::integer ? 1 : 0);
  return copies * elements * kFloat + (training ? 3 * largest * kFloat : 0);
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
  try {
    self.run_forward(pass);
  } catch (const NotFinite&) {  // only seen where it was to be quantized
    if (const auto where = first_not_finite(images, pass)) {
      throw NotFinite(pass, *where);
    }
    throw;
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
  const double elsewhere = self.executor.backward(pass, ready);
  const double quantize = pass.quantize_seconds - quantize_before;
  self.seconds.quantize += quantize;
  self.seconds.backward += watch.seconds() - quantize - elsewhere;
}

std::optional<std::string> Network::first_not_finite(std::span<const float> images, Pass pass) {
  Implementation& self = *implementation_;
  pass.maxima = nullptr;
  pass.losses = nullptr;
  pass.names_not_finite = true;
  if (!std::isfinite(maximum_magnitude(images))) {
    return "the images";
  }
  self.set_images(images);
  try {
    self.run_forward(pass);
  } catch (const NotFinite& found) {
    return found.where();
  }
  return std::nullopt;
}

std::span<const float> Network::logits() const { return implementation_->logits(); }

int Network::integer_layers(const Pass& pass) const {
  return implementation_->layers ? implementation_->layers->integer_products(pass) : 0;
}

const NetworkSeconds& Network::seconds() const { return implementation_->seconds; }

void Network::count_layers() { implementation_->executor.count_steps(); }

const std::vector<LayerSeconds>& Network::layer_seconds() const {
  return implementation_->executor.seconds();
}

}  // namespace adapt
