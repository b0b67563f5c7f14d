#include "nn/quantized/layers.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "nn/not_finite.hpp"
#include "numerics/channels.hpp"

namespace adapt {

QuantizedLayers::QuantizedLayers(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training,
                                 bool integer)
    : graph_(graph),
      memory_(memory),
      training_(training),
      integer_(integer),
      scratch_{.arena = *state.values,
               .sums = {},
               .outputs = {},
               .gradient = {},
               .weight_gradient = {},
               .tiles = {}},
      normalizations_(normalization_groups(graph)),
      slots_(graph.nodes.size()) {
  find_state(state);
  make_values();
  for (const ProductGroup& group : product_groups(graph_)) {
    add_product(group);
  }
  std::vector<bool> joined(graph_.nodes.size(), false);
  for (const NormalizationGroup& group : normalizations_) {
    add_normalization(group);
    for (const std::size_t member : {group.normalization, group.operand, group.sum, group.relu}) {
      joined[member] = joined[member] || member != 0;
    }
    joined[group.normalization] = true;
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Operation& operation = graph_.nodes[i].op();
    if (joined[i] || operation.product()) {
      continue;
    }
    if (operation.quantization() == QuantizePlace::operand) {
      add_operand(i);
    } else if (!operation.quantization()) {
      add_layer(i);
    }
  }
}

void QuantizedLayers::find_state(ModelState& state) {
  auto parameter = state.parameters.begin();
  auto statistics = state.statistics.begin();
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    NodeState& found = state_.emplace_back();
    slots_[i].parameters = graph_.nodes[i].parameters().size();
    for (std::size_t k = 0; k < slots_[i].parameters; ++k) {
      found.parameters.push_back(&*parameter++);
    }
    if (graph_.nodes[i].op().normalization()) {
      found.statistics = &*statistics++;
    }
  }
}

void QuantizedLayers::make_values() {
  const MemoryPlan& plan = memory_.plan();
  std::vector<std::shared_ptr<Value::Content>> contents(plan.sizes.size());  // by buffer
  std::ranges::generate(contents, [] { return std::make_shared<Value::Content>(); });
  const auto gradient = [&](const Shape& shape, int buffer) {
    return buffer < 0 ? Value()
                      : Value(shape, memory_.in_buffer(shape, buffer), memory_.buffer(buffer),
                              contents[static_cast<std::size_t>(buffer)]);
  };
  for (std::size_t value = 0; value <= graph_.nodes.size(); ++value) {
    const Shape& shape = graph_.shape(static_cast<int>(value));
    data_.emplace_back(shape, memory_.data(value), memory_.buffer(plan.data[value]),
                       std::make_shared<Value::Content>());
    gradient_.push_back(gradient(shape, plan.gradient[value]));
  }
  written_.resize(graph_.nodes.size());
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Shape& shape = graph_.nodes[i].input;
    for (std::size_t k = 0; k < graph_.nodes[i].inputs.size(); ++k) {
      const InputGradient action = plan.input_gradient(i, k);
      written_[i].push_back(gradient(shape, action.written));
      if (action.previous >= 0) {
        slots_[i].sums.push_back(
            {gradient(shape, action.previous), written_[i].back(), gradient(shape, action.sum)});
      }
    }
  }
}

Value* QuantizedLayers::source_of(std::size_t node, std::size_t k) {
  return &data_[static_cast<std::size_t>(graph_.nodes[node].inputs[k])];
}

Value* QuantizedLayers::gradient_of(std::size_t node) {
  Value& gradient = gradient_[node + 1];
  return gradient ? &gradient : nullptr;
}

Value* QuantizedLayers::written_by(std::size_t node, std::size_t k) {
  Value& written = written_[node][k];
  return written ? &written : nullptr;
}

void QuantizedLayers::add_product(const ProductGroup& group) {
  const NodeState& state = state_[group.product];
  const ProductParts parts = {
      .inputs = &graph_.nodes[group.inputs],
      .product = &graph_.nodes[group.product],
      .outputs = &graph_.nodes[group.outputs],
      .weight = state.parameters.front(),
      .bias = state.parameters.size() > 1 ? state.parameters.back() : nullptr,
      .source = source_of(group.inputs),
      .quantized = data_of(group.inputs),
      .raw = data_of(group.product),
      .destination = data_of(group.outputs),
      .quantized_gradient = written_by(group.product),
      .raw_gradient = gradient_of(group.product),
      .destination_gradient = gradient_of(group.outputs),
      .source_is_normalized = ends_normalization(graph_.nodes[group.inputs].inputs.front()),
      .is_normalized = layer_of(group.outputs).is_normalized};
  auto& unit = inputs_[group.inputs];
  unit = std::make_unique<ProductUnit>(parts, training_, integer_, scratch_);
  outputs_[group.outputs] = unit.get();
  ProductUnit* const product = unit.get();
  slots_[group.inputs].forward = [product](Pass& pass) { product->quantize_inputs(pass); };
  slots_[group.product].forward = [product](Pass& pass) { product->multiply(pass); };
  slots_[group.product].backward = [product](Pass& pass) { product->backward(pass); };
  slots_[group.outputs].backward = [product](Pass& pass) { product->quantize_gradient(pass); };
}

bool QuantizedLayers::ends_normalization(int value) const {
  return std::ranges::any_of(normalizations_, [value](const NormalizationGroup& group) {
    return static_cast<int>(group.last()) + 1 == value;
  });
}

const QuantizedLayer& QuantizedLayers::layer_of(std::size_t node) const {
  return graph_.layers[static_cast<std::size_t>(graph_.nodes[node].layer)];
}

NormalizationParts QuantizedLayers::parts_of(const NormalizationGroup& group) {
  const std::size_t node = group.normalization;
  const std::size_t last = group.last();
  const NodeState& state = state_[node];
  NormalizationParts parts = {.normalization = &graph_.nodes[node],
                              .operand = group.operand == 0 ? nullptr : &graph_.nodes[group.operand],
                              .sum = group.sum == 0 ? nullptr : &graph_.nodes[group.sum],
                              .rectifies = group.relu != 0,
                              .scale = state.parameters[0],
                              .shift = state.parameters[1],
                              .statistics = state.statistics,
                              .source = source_of(node),
                              .destination = data_of(last),
                              .gradient = gradient_of(last),
                              .source_gradient = written_by(node),
                              .consumers = {}};
  if (group.sum != 0) {
    const bool first = source_of(group.sum) == data_of(group.operand);
    parts.other = source_of(group.sum, first ? 1 : 0);
    parts.sum_gradient = group.relu != 0 ? written_by(group.relu) : gradient_of(group.sum);
    parts.normalized_gradient = gradient_of(node);
  }
  const int source = graph_.nodes[node].inputs.front();
  const auto producer = source == 0 ? outputs_.end() : outputs_.find(static_cast<std::size_t>(source) - 1);
  if (producer != outputs_.end() && layer_of(producer->first).is_normalized) {
    parts.producer = producer->second;
  }
  parts.floats_needed = last + 1 == graph_.nodes.size();
  for (const std::size_t reader : graph_.readers_of(last)) {
    const auto consumer = inputs_.find(reader);
    if (consumer != inputs_.end()) {
      parts.consumers.push_back(consumer->second.get());
    } else {
      parts.floats_needed = true;
    }
  }
  return parts;
}

void QuantizedLayers::add_normalization(const NormalizationGroup& group) {
  const auto unit = std::make_shared<NormalizationUnit>(parts_of(group), training_, scratch_);
  const std::size_t last = group.last();
  if (last == group.normalization) {
    slots_[last].forward = [unit](Pass& pass) {
      unit->prepare(pass);
      unit->apply(pass);
    };
  } else {
    slots_[group.normalization].forward = [unit](Pass& pass) { unit->prepare(pass); };
    slots_[last].forward = [unit](Pass& pass) { unit->apply(pass); };
  }
  slots_[group.normalization].backward = [unit](Pass& pass) { unit->backward(pass); };
  if (group.sum != 0) {
    slots_[last].backward = [unit](Pass& pass) { unit->begin_backward(pass); };
  }
}

void QuantizedLayers::add_operand(std::size_t node) {
  const auto quantizer = std::make_shared<Quantizer>(graph_.nodes[node].name, Quantizer::Tensor::operands,
                                                     graph_.nodes[node].layer);
  Value* const source = source_of(node);
  Value* const destination = data_of(node);
  slots_[node].forward = [=, tile = AlignedVector<float>(source->tile())](Pass& pass) mutable {
    const std::span<float> to = destination->floats();
    quantizer->begin(pass);
    source->each_tile([&](std::size_t first, std::size_t length) {
      quantizer->to_grid(first, source->read(first, std::span(tile).first(length)),
                         to.subspan(first, length));
    });
    quantizer->end(pass);
    destination->set_floats();
  };
}

void QuantizedLayers::add_layer(std::size_t node) {
  const GraphNode& description = graph_.nodes[node];
  const std::size_t inputs = description.inputs.size();
  LayerMemory memory = {{}, data_of(node)->memory(), {}, {}};
  memory.destination_gradient = gradient_of(node) == nullptr ? dnnl::memory() : gradient_of(node)->memory();
  for (std::size_t k = 0; k < inputs; ++k) {
    memory.sources.push_back(source_of(node, k)->memory());
    memory.source_gradients.push_back(written_[node][k] ? written_[node][k].memory() : dnnl::memory());
  }
  if (!description.parameters().empty()) {
    throw Failure(concat("layer '", description.name, "': operations of kind ", description.op().kind(),
                         " have parameters, and no quantized form"));
  }
  const std::shared_ptr<Layer> layer = description.op().make_layer(
      {description.input, description.output, memory, {}, nullptr, training_, node});
  slots_[node].forward = [=, this](Pass& pass) {
    for (std::size_t k = 0; k < inputs; ++k) {
      source_of(node, k)->materialize();
    }
    data_of(node)->make_floats();
    layer->forward(pass);
    check_finite(pass, graph_.nodes[node], data_of(node)->floats());
  };
  if (description.op().backward().is_identity || gradient_of(node) == nullptr) {
    return;
  }
  slots_[node].backward = [=, this](Pass& pass) {
    gradient_of(node)->materialize();
    if (Value* const written = written_by(node)) {
      written->make_floats();
    }
    layer->backward(pass);
  };
}

int QuantizedLayers::integer_products(const Pass& pass) const {
  return static_cast<int>(
      std::ranges::count_if(inputs_, [&](const auto& entry) { return entry.second->runs_integer(pass); }));
}

void QuantizedLayers::select(const Pass& pass) {
  bool changed = false;
  for (const auto& [node, unit] : inputs_) {
    changed = unit->select(pass) || changed;
  }
  if (changed) {
    scratch_.arena.trim();
  }
}

std::vector<Step> QuantizedLayers::steps() {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Step step = {.name = graph_.nodes[i].name,
                 .forward = [this, i](Pass& pass) { run_forward(i, pass); },
                 .backward = {},
                 .parameters = slots_[i].parameters};
    if (training_) {
      step.backward = [this, i](Pass& pass) { run_backward(i, pass); };
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

void QuantizedLayers::run_forward(std::size_t node, Pass& pass) {
  if (slots_[node].forward) {
    slots_[node].forward(pass);
  }
  if (node + 1 == slots_.size()) {
    data_.back().materialize();
  }
  memory_.end_forward(node);
}

void QuantizedLayers::run_backward(std::size_t node, Pass& pass) {
  if (node + 1 == slots_.size()) {
    gradient_.back().set_floats();  // the loss wrote them
  }
  if (slots_[node].backward) {
    slots_[node].backward(pass);
  }
  for (const GradientSum& sum : slots_[node].sums) {
    add_gradients(sum);
  }
  memory_.end_backward(node);
}

void QuantizedLayers::add_gradients(const GradientSum& sum) {
  AlignedVector<float> tile(sum.sum.tile());
  AlignedVector<float> other(sum.sum.tile());
  const std::span<float> to = sum.sum.floats();
  sum.sum.each_tile([&](std::size_t first, std::size_t length) {
    add(sum.previous.read(first, std::span(tile).first(length)),
        sum.written.read(first, std::span(other).first(length)), to.subspan(first, length));
  });
  Value(sum.sum).set_floats();
}

}  // namespace adapt
