#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "base/error.hpp"
#include "export/onnx_nodes.hpp"
#include "export/registry.hpp"
#include "nn/passes/folding.hpp"

namespace adapt {
namespace {

/// A signed byte is kept as an unsigned one with this zero point.
constexpr std::uint8_t kMiddle = 128;
/// Half of what 32 bits hold: sums are added to it.
constexpr double kLargestBias = 1 << 30;

/// A product's operands in integers, with the scales of its channels.
struct ByteProduct {
  std::vector<std::int8_t> weights;
  std::vector<float> scales;  ///< of the weights
  std::vector<std::int32_t> bias;
  int coarse = 0;  ///< channels whose weights lost bits
};

/// The weights of a channel and what becomes of its sum: scale · (Σ x · w + bias).
struct Channel {
  std::span<std::int8_t> weights;
  double scale;
  double bias;
};

/// The bias must fit 32 bits in units of the scale. Where the factor of a batch norm is so small that it does
/// not, coarser weights have a larger scale. Whether they were needed.
bool fit_bias(Channel& channel) {
  bool is_coarse = false;
  for (; std::abs(channel.bias) > kLargestBias; channel.bias /= 2, channel.scale *= 2) {
    is_coarse = true;
    for (std::int8_t& weight : channel.weights) {
      weight = static_cast<std::int8_t>(std::nearbyint(weight / 2.0));
    }
  }
  return is_coarse;
}

/// Scales are to be positive: a negative one turns the weights around, if they can be.
void make_positive(Channel& channel) {
  const bool turns = channel.scale < 0 && std::ranges::none_of(channel.weights, [](std::int8_t weight) {
                       return weight == std::numeric_limits<std::int8_t>::min();
                     });
  if (turns) {
    channel.scale = -channel.scale;
    channel.bias = -channel.bias;
    std::ranges::transform(channel.weights, channel.weights.begin(), std::negate<>());
  }
}

/// Of sums of products with a source of `source_length` fractional bits; the factors and addends are for
/// results of `unit` fractional bits.
ByteProduct byte_product(const FoldedProduct& product, int source_length, int unit) {
  ByteProduct made;
  made.weights.assign(product.weights.begin(), product.weights.end());
  const std::size_t size = made.weights.size() / product.factors.size();
  for (std::size_t c = 0; c < product.factors.size(); ++c) {
    Channel channel = {std::span(made.weights).subspan(c * size, size), product.factors[c],
                       product.addends[c]};
    made.coarse += fit_bias(channel) ? 1 : 0;
    make_positive(channel);
    made.scales.push_back(static_cast<float>(std::ldexp(channel.scale, source_length - unit)));
    made.bias.push_back(static_cast<std::int32_t>(std::nearbyint(channel.bias)));
  }
  return made;
}

float step_of(int fractional_length) { return std::ldexp(1.0F, -fractional_length); }

/// Writes the steps of engine integer's inference with QuantizeLinear and DequantizeLinear around them.
class PairExporter {
 public:
  explicit PairExporter(const ExportNetwork& network)
      : network_(network),
        plan_(network.inference),
        model_(network.stored.name, network.stored.graph.image),
        is_matrix_(plan_.values.size()) {
    for (std::size_t value = 0; value < plan_.values.size(); ++value) {
      names_.push_back(value == 0 ? "images" : concat("value.", value));
    }
    names_[at(plan_.steps.back().destination)] = "logits";
  }

  ExportedFile run() {
    for (const InferenceStep& step : plan_.steps) {
      step_ = &step;
      add();
    }
    const int last = plan_.steps.back().destination;
    if (!is_matrix_[at(last)]) {
      throw BadInput(concat("layer '", plan_.steps.back().name, "': expected a linear layer at the end"));
    }
    model_.note("network", network_.stored.text);
    return {model_.finish(static_cast<int>(plan_.values[at(last)].shape.c)), std::move(layers_)};
  }

 private:
  static std::size_t at(int value) { return static_cast<std::size_t>(value); }
  [[nodiscard]] const InferenceValue& value(int index) const { return plan_.values[at(index)]; }
  [[nodiscard]] const GraphNode& node() const { return network_.stored.graph.nodes[step_->node]; }
  [[nodiscard]] std::uint8_t zero_of(NumberType type) const {
    return type == NumberType::unsigned_byte ? 0 : kMiddle;
  }

  void add() {
    const int destination = step_->destination;
    const int source = step_->sources.front();
    if (step_->kind == InferenceStep::Kind::product) {
      add_step_product();
    } else if (step_->kind == InferenceStep::Kind::convert) {
      add_conversion(source, destination);
    } else if (is_byte(value(destination).type) && node().pooling()->kind == Pooling::maximum) {
      add_operation(model_, network_, node(), {names_[at(source)]}, names_[at(destination)]);
    } else {
      std::vector<std::string> inputs;
      for (const int input : step_->sources) {
        inputs.push_back(real(input, concat(step_->name, ".input", inputs.size())));
      }
      add_operation(model_, network_, node(), inputs, real_name(destination));
      store(destination);
    }
    if (step_->kind != InferenceStep::Kind::product) {
      is_matrix_[at(destination)] = is_matrix_[at(source)];
    }
  }

  void add_conversion(int source, int destination) {
    if (value(source).type == value(destination).type) {
      names_[at(destination)] = names_[at(source)];  // a copy
    } else {
      quantize(names_[at(source)], value(destination).fractional_length, zero_of(value(destination).type),
               names_[at(destination)]);
    }
  }

  void quantize(const std::string& input, int fractional_length, std::uint8_t zero,
                const std::string& output) {
    model_.add("QuantizeLinear", {input, model_.number(step_of(fractional_length)), model_.byte(zero)},
               output);
  }

  std::string dequantize(const std::string& input, int fractional_length, std::uint8_t zero,
                         const std::string& output) {
    model_.add("DequantizeLinear", {input, model_.number(step_of(fractional_length)), model_.byte(zero)},
               output);
    return output;
  }

  /// A value in float32 for one reader, which has its pair to itself, as ONNX Runtime's patterns want it.
  std::string real(int index, const std::string& reader) {
    return is_byte(value(index).type) ? dequantize(names_[at(index)], value(index).fractional_length,
                                                   zero_of(value(index).type), reader)
                                      : names_[at(index)];
  }

  /// What a result is called before store() makes bytes of it.
  [[nodiscard]] std::string real_name(int index) const {
    return is_byte(value(index).type) ? names_[at(index)] + ".real" : names_[at(index)];
  }

  void store(int index) {
    if (is_byte(value(index).type)) {
      quantize(real_name(index), value(index).fractional_length, zero_of(value(index).type),
               names_[at(index)]);
    }
  }

  // ---- products ----

  void add_step_product() {
    const int destination = step_->destination;
    const bool is_linear = !node().op().product()->window;
    is_matrix_[at(destination)] = is_linear;
    const bool adds = step_->residual >= 0;
    const auto& activation = step_->product.activation;
    const std::string result = real_name(destination);
    const std::string summed = activation ? step_->name + ".sum" : result;
    const std::string product = adds ? step_->name + ".product" : summed;
    add_product(model_, node(), step_->product.integer ? byte_operands() : float_operands(), product);
    if (adds) {
      model_.add("Add", {operand(product), real(step_->residual, step_->name + ".residual")}, summed);
    }
    if (activation) {
      model_.add(*activation == Activation::relu ? "Relu" : "Tanh", {summed}, result);
    }
    store(destination);
  }

  /// The source as the product takes it.
  std::string source(bool as_bytes) {
    const int index = step_->sources.front();
    std::string name = names_[at(index)];
    if (!node().op().product()->window) {
      name = flattened(model_, name, is_matrix_[at(index)], step_->name + ".flat");
    }
    return as_bytes ? dequantize(name, value(index).fractional_length, zero_of(value(index).type),
                                 step_->name + ".input")
                    : name;
  }

  /// What goes into a residual sum.
  std::string operand(const std::string& product) {
    const auto& length = step_->operand_length;
    if (!length) {
      return product;
    }
    quantize(product, *length, kMiddle, step_->name + ".operand");
    return dequantize(step_->name + ".operand", *length, kMiddle, step_->name + ".operand.real");
  }

  [[nodiscard]] OnnxModel::Dims weight_dims() const { return node().parameters().front().dims; }

  /// (O, I) or (O, I, KH, KW), with the features of a linear layer in ONNX's order: channels first.
  template <class T>
  std::vector<T> weights_of(const std::vector<T>& weights) const {
    return node().op().product()->window ? weights : channels_first(weights, node().input);
  }

  std::vector<std::string> byte_operands() {
    const FoldedProduct& product = step_->product;
    const int length = value(step_->sources.front()).fractional_length;
    const bool is_byte_result =
        is_byte(value(step_->destination).type) && product.activation != Activation::tanh;
    const ByteProduct made =
        byte_product(product, length, is_byte_result ? value(step_->destination).fractional_length : 0);
    std::vector<float> scales = made.scales;
    const bool one = std::ranges::all_of(scales, [&](float scale) { return scale == scales.front(); });
    scales.resize(one ? 1 : scales.size());
    const OnnxModel::Dims channels = {static_cast<std::int64_t>(scales.size())};
    const std::string weights = model_.constant(step_->name + ".weight", weight_dims(),
                                                std::span<const std::int8_t>(weights_of(made.weights)));
    const std::string bias = model_.constant(step_->name + ".bias", {weight_dims().front()},
                                             std::span<const std::int32_t>(made.bias));
    const std::string input = source(/*as_bytes=*/true);
    note_layer(concat("u8 activations, s8 weights, ", one ? "one scale" : "a scale for each channel",
                      has_kernel() ? "" : ", summed in float32",
                      made.coarse > 0 ? concat(", ", made.coarse, " channels with coarser weights") : ""));
    std::vector<float> bias_scales = scales;
    for (float& scale : bias_scales) {
      scale *= step_of(length);
    }
    return {input, scaled(weights, scales, true), scaled(bias, bias_scales, false)};
  }

  /// Whether ONNX Runtime has an integer kernel for the step: of convolutions only where bytes, or an operand
  /// in bytes, follow at once. Elsewhere it sums the same integers, times their scales, in float32.
  [[nodiscard]] bool has_kernel() const {
    const bool is_stored =
        is_byte(value(step_->destination).type) && step_->product.activation != Activation::tanh;
    return is_stored || !node().op().product()->window;
  }

  /// Integer constants with a scale for each of their first indices, or one for all.
  /// Those of bytes have zero points of 0, which ONNX Runtime wants to see.
  std::string scaled(const std::string& integers, const std::vector<float>& scales, bool are_bytes) {
    const OnnxModel::Dims dims =
        scales.size() == 1 ? OnnxModel::Dims{} : OnnxModel::Dims{static_cast<std::int64_t>(scales.size())};
    OnnxModel::Names inputs = {integers,
                               model_.constant(integers + ".scale", dims, std::span<const float>(scales))};
    if (are_bytes) {
      const std::vector<std::int8_t> zeros(scales.size());
      inputs.push_back(model_.constant(integers + ".zero", dims, std::span<const std::int8_t>(zeros)));
    }
    onnx::NodeProto& pair = model_.add("DequantizeLinear", inputs, integers + ".real");
    set(pair, "axis", std::int64_t{0});
    return integers + ".real";
  }

  /// Weights of a format as integers of 32 bits (the shortest words above bytes that opset 13 dequantizes);
  /// without one as they are.
  std::vector<std::string> float_operands() {
    const std::string name = step_->name + ".weight";
    const std::string bias = model_.constant(step_->name + ".bias", {weight_dims().front()},
                                             std::span<const float>(step_->product.addends));
    const std::string input = source(/*as_bytes=*/false);
    const auto& format = network_.formats_of(node()).weights;
    if (!format) {
      const std::vector<float> numbers(step_->product.weights.begin(), step_->product.weights.end());
      note_layer("float32");
      return {input, model_.constant(name, weight_dims(), std::span<const float>(weights_of(numbers))), bias};
    }
    const FusedGroup& group = network_.group_of(*step_);
    const Affine affine = affine_of(network_.stored.graph, group, *network_.stored.state);
    std::vector<float> scales;
    for (const double factor : affine.factor) {
      scales.push_back(static_cast<float>(std::ldexp(factor, -format->fractional_length)));
    }
    note_layer("float32 from integers of 32 bits");
    const auto stored = std::ranges::find(network_.stored.tensors, name, &ModelTensor::name);
    return {input,
            scaled(model_.constant(name, weight_dims(),
                                   std::span<const std::int32_t>(weights_of(stored->integers))),
                   group.normalization == 0 ? std::vector<float>{scales.front()} : scales, false),
            bias};
  }

  void note_layer(const std::string& how) {
    const LayerFormats& formats = network_.formats_of(node());
    layers_.push_back({step_->name, concat(bits_of(formats.weights), ", ", bits_of(formats.inputs)), how});
    model_.note("layer " + step_->name, concat(layers_.back().bits, " bits (weights, inputs): ", how));
  }

  const ExportNetwork& network_;
  const InferencePlan& plan_;
  OnnxModel model_;
  std::vector<bool> is_matrix_;  // by value: (N, features), not (N, C, H, W)
  std::vector<std::string> names_;
  std::vector<ExportedLayer> layers_;
  const InferenceStep* step_ = nullptr;
};

}  // namespace

/// ONNX, opset 13, as ONNX Runtime's processor provider fuses it: DequantizeLinear on activations (u8),
/// weights (s8) and bias (s32) before Conv and Gemm, QuantizeLinear behind; batch norm is in the scales.
ExportedFile export_onnx(const ExportNetwork& network) { return PairExporter(network).run(); }

}  // namespace adapt
