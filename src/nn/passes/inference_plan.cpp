#include "nn/passes/inference_plan.hpp"

#include <algorithm>
#include <limits>

#include "nn/passes/folding.hpp"
#include "nn/passes/fusion.hpp"

namespace adapt {
namespace {

constexpr int kByteBits = 8;
/// Products of unsigned and signed bytes whose sum fits 32 bits.
constexpr std::int64_t kMostTerms = std::numeric_limits<std::int32_t>::max() / (255 * 128);

bool fits_byte(const std::optional<FixedFormat>& format) {
  return format && format->word_length <= kByteBits;
}

bool is_pooling(const GraphNode& node, Pooling kind) {
  const auto pooling = node.pooling();
  return pooling && pooling->kind == kind;
}

bool is_maximum(const GraphNode& node) { return is_pooling(node, Pooling::maximum); }
bool is_average(const GraphNode& node) { return is_pooling(node, Pooling::average); }

class Planner {
 public:
  Planner(const Graph& graph, const ModelState& state, NumberType floats, const PrecisionPlan* formats,
          FullMaps full_maps)
      : graph_(graph),
        state_(state),
        floats_(floats),
        formats_(formats),
        full_maps_(full_maps),
        groups_(fuse(graph)),
        readers_(group_readers(graph, groups_)),
        bytes_(graph.nodes.size() + 1) {
    for (std::size_t value = 0; value < bytes_.size(); ++value) {
      plan_.values.push_back({graph.shape(static_cast<int>(value))});
    }
  }

  InferencePlan run() {
    choose_bytes();
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      add(g);
    }
    return std::move(plan_);
  }

 private:
  static std::size_t at(int value) { return static_cast<std::size_t>(value); }
  [[nodiscard]] const GraphNode& node_of(const FusedGroup& group) const { return graph_.nodes[group.node]; }
  [[nodiscard]] bool is_product(const FusedGroup& group) const {
    return node_of(group).op().product().has_value();
  }
  [[nodiscard]] const LayerFormats& formats(const FusedGroup& group) const {
    return formats_->layers.at(at(node_of(group).layer));
  }
  [[nodiscard]] bool is_integer(const FusedGroup& group) const {
    return formats_ != nullptr && is_product(group) && fits_byte(formats(group).weights) &&
           fits_byte(formats(group).inputs) && terms(group) <= kMostTerms;
  }
  /// Products that a sum of the group has at most.
  [[nodiscard]] std::int64_t terms(const FusedGroup& group) const {
    const ParameterShape weights = node_of(group).parameters().front();
    return weights.elements() / weights.dims.front();
  }
  InferenceValue& value(int index) { return plan_.values[at(index)]; }

  /// Who can make bytes is known from the front, who takes them from the back.
  void choose_bytes() {
    std::vector<bool> possible(bytes_.size());
    for (const FusedGroup& group : groups_) {
      possible[at(group.result())] = is_integer(group) || is_average(node_of(group)) ||
                                     (is_maximum(node_of(group)) && possible[at(node_of(group).inputs[0])]);
    }
    for (std::size_t g = groups_.size(); g-- > 0;) {
      const int result = groups_[g].result();
      const auto& readers = readers_[at(result)];
      bytes_[at(result)] =
          possible[at(result)] && !readers.empty() && grid(g) &&
          std::ranges::all_of(readers, [&](std::size_t r) { return takes_bytes(r, result); });
    }
  }

  [[nodiscard]] bool takes_bytes(std::size_t reader, int value) const {
    const FusedGroup& group = groups_[reader];
    const bool is_source = std::ranges::count(node_of(group).inputs, value) > 0;
    if (is_product(group)) {
      return (!is_source || is_integer(group)) && (group.residual != value || bytes_[at(group.result())]);
    }
    return is_average(node_of(group)) || (is_maximum(node_of(group)) && bytes_[at(group.result())]);
  }

  /// The fewest fractional bits among the inputs of the products that read `value`, seen through poolings
  /// that keep numbers as they are.
  [[nodiscard]] std::optional<int> readers_grid(int value) const {
    std::optional<int> least;
    const auto take = [&](std::optional<int> length) {
      least = least && length ? std::min(*least, *length) : (length ? length : least);
    };
    for (const std::size_t r : readers_[at(value)]) {
      const FusedGroup& group = groups_[r];
      if (is_maximum(node_of(group))) {
        take(readers_grid(group.result()));
      } else if (is_integer(group) && std::ranges::count(node_of(group).inputs, value) > 0) {
        take(formats(group).inputs->fractional_length);
      }
    }
    return least;
  }

  /// Fractional length that a group's result would have in bytes, if one is known.
  [[nodiscard]] std::optional<int> grid(std::size_t g) const {
    const FusedGroup& group = groups_[g];
    if (const auto wanted = readers_grid(group.result())) {
      return wanted;
    }
    if (is_integer(group) && meets_sum(group) && fits_byte(formats(group).operands)) {
      return formats(group).operands->fractional_length;
    }
    return std::nullopt;
  }

  /// Whether a group's result is a residual sum or an operand of one.
  [[nodiscard]] bool meets_sum(const FusedGroup& group) const {
    return group.residual >= 0 || std::ranges::any_of(readers_[at(group.result())], [&](std::size_t reader) {
             return groups_[reader].residual == group.result();
           });
  }

  void add(std::size_t g) {
    const FusedGroup& group = groups_[g];
    if (is_product(group)) {
      add_product(g);
    } else if (node_of(group).pooling()) {
      add_pool(g);
    } else {
      add_layer(group);
    }
  }

  void set_type(std::size_t g, bool rectified) {
    const FusedGroup& group = groups_[g];
    InferenceValue& result = value(group.result());
    if (!bytes_[at(group.result())]) {
      result.type = readers_[at(group.result())].empty() ? NumberType::float32 : floats_;
      return;
    }
    result.type = rectified ? NumberType::unsigned_byte : NumberType::signed_byte;
    result.fractional_length = *grid(g);
    // A sum reaches as far as its operands do.
    if (group.residual >= 0 && !readers_grid(group.result()) && is_byte(value(group.residual).type)) {
      result.fractional_length = std::min(result.fractional_length, value(group.residual).fractional_length);
    }
  }

  void add_product(std::size_t g) {
    const FusedGroup& group = groups_[g];
    const bool rectifies =
        group.activation != 0 && graph_.nodes[group.activation].op().activation() == Activation::relu;
    set_type(g, rectifies);
    InferenceStep step = {InferenceStep::Kind::product, node_of(group).name, group.node, {}, group.result()};
    const bool integer = is_integer(group);
    const int source = node_of(group).inputs.front();
    step.sources = {integer ? as_bytes(source, formats(group).inputs->fractional_length)
                            : as(source, floats_, 0)};
    const bool bytes = is_byte(value(group.result()).type);
    if (group.residual >= 0) {
      step.residual = residual_of(g, step.sources[0]);
    }
    if (integer) {
      ByteScales scales = {formats(group).weights->fractional_length,
                           value(step.sources[0]).fractional_length};
      if (bytes) {
        scales.destination = value(group.result()).fractional_length;
        scales.residual = step.residual < 0 ? 0 : value(step.residual).fractional_length;
        if (step.residual >= 0) {
          step.operand_length = operand_grid(group);
        }
        scales.operand = step.operand_length;
      }
      step.product = fold_bytes(graph_, group, state_, scales);
    } else {
      step.product = fold_floats(graph_, group, state_);
    }
    if (full_maps_ == FullMaps::flattened) {
      flatten_full_map(node_of(group), step.product);
    }
    plan_.steps.push_back(std::move(step));
  }

  /// The residual in the kind of numbers that the result has, in memory that may be overwritten while
  /// `source` is read.
  int residual_of(std::size_t g, int source) {
    const FusedGroup& group = groups_[g];
    const InferenceValue& result = value(group.result());
    const bool fits = is_byte(result.type) ? is_byte(value(group.residual).type)
                                           : value(group.residual).type == result.type;
    const bool last =
        readers_[at(group.residual)].back() == g && group.residual != 0 && group.residual != source;
    if (fits && last) {
      return group.residual;
    }
    if (fits) {
      return convert(group.residual, value(group.residual).type, value(group.residual).fractional_length);
    }
    return is_byte(result.type)
               ? convert(group.residual, NumberType::signed_byte, result.fractional_length - 1)
               : convert(group.residual, result.type, 0);
  }

  /// Fractional length of what a product gives to a sum in bytes: that which training had for it, unless the
  /// sum reaches farther.
  int operand_grid(const FusedGroup& group) {
    const int sum = value(group.result()).fractional_length;
    const auto& format = formats(group).operands;
    return format ? std::min(format->fractional_length, sum) : sum;
  }

  void add_pool(std::size_t g) {
    const FusedGroup& group = groups_[g];
    const int source = node_of(group).inputs.front();
    const bool rectified = value(source).type == NumberType::unsigned_byte;
    set_type(g, rectified);
    InferenceValue& result = value(group.result());
    InferenceStep step = {
        InferenceStep::Kind::pool, node_of(group).name, group.node, {source}, group.result()};
    if (is_maximum(node_of(group))) {
      step.sources = {is_byte(result.type) ? source : as(source, result.type, 0)};
      value(group.result()).fractional_length = value(step.sources[0]).fractional_length;
    } else if (!is_byte(value(source).type)) {
      step.sources = {as(source, NumberType::float32, 0)};
    }
    if (is_average(node_of(group)) && !is_byte(value(group.result()).type)) {
      value(group.result()).type = NumberType::float32;
    }
    plan_.steps.push_back(std::move(step));
  }

  void add_layer(const FusedGroup& group) {
    InferenceStep step = {InferenceStep::Kind::layer, node_of(group).name, group.node, {}, group.result()};
    for (const int source : node_of(group).inputs) {
      step.sources.push_back(as(source, NumberType::float32, 0));
    }
    plan_.steps.push_back(std::move(step));
  }

  int as_bytes(int source, int fractional_length) {
    return is_byte(value(source).type) ? source : as(source, NumberType::signed_byte, fractional_length);
  }

  /// `source` in numbers of `type`: itself, or a conversion, made once.
  int as(int source, NumberType type, int fractional_length) {
    if (value(source).type == type && !is_byte(type)) {
      return source;
    }
    for (const InferenceStep& step : plan_.steps) {
      const InferenceValue& made = value(step.destination);
      if (step.kind == InferenceStep::Kind::convert && step.sources[0] == source && made.type == type &&
          made.fractional_length == fractional_length && !overwritten(step.destination)) {
        return step.destination;
      }
    }
    return convert(source, type, fractional_length);
  }

  [[nodiscard]] bool overwritten(int index) const {
    return std::ranges::any_of(plan_.steps,
                               [&](const InferenceStep& step) { return step.residual == index; });
  }

  int convert(int source, NumberType type, int fractional_length) {
    const int result = static_cast<int>(plan_.values.size());
    plan_.values.push_back({value(source).shape, type, fractional_length});
    const std::string& name = source == 0 ? "images" : graph_.nodes[at(source) - 1].name;
    plan_.steps.push_back({InferenceStep::Kind::convert, name + ".convert", 0, {source}, result});
    return result;
  }

  const Graph& graph_;
  const ModelState& state_;
  NumberType floats_;
  const PrecisionPlan* formats_;
  FullMaps full_maps_;
  std::vector<FusedGroup> groups_;
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<bool> bytes_;  // by value of the graph
  InferencePlan plan_;
};

}  // namespace

bool is_byte(NumberType type) { return type == NumberType::signed_byte || type == NumberType::unsigned_byte; }

std::int64_t bytes_of(NumberType type) { return is_byte(type) ? 1 : type == NumberType::bfloat16 ? 2 : 4; }

int InferencePlan::products() const {
  return static_cast<int>(std::ranges::count_if(
      steps, [](const InferenceStep& step) { return step.kind == InferenceStep::Kind::product; }));
}

int InferencePlan::integer_products() const {
  return static_cast<int>(
      std::ranges::count_if(steps, [](const InferenceStep& step) { return step.product.integer; }));
}

InferencePlan plan_inference(const Graph& graph, const ModelState& state, NumberType floats,
                             const PrecisionPlan* formats, FullMaps full_maps) {
  return Planner(graph, state, floats, formats, full_maps).run();
}

}  // namespace adapt
