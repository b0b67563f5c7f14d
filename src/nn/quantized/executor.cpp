#include "nn/quantized/executor.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "nn/not_finite.hpp"
#include "numerics/channels.hpp"

namespace adapt {
namespace {

void nothing(Pass& /*pass*/) {}

}  // namespace

std::vector<JoinedNodes> joined_nodes(const Graph& graph) {
  std::vector<JoinedNodes> joined;
  for (const Chain& chain : find_chains(graph)) {
    joined.push_back({chain.normalization, chain.last()});
  }
  return joined;
}

Executor::Executor(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training, bool integer)
    : graph_(graph),
      training_(training),
      integer_(integer),
      scratch_{.arena = *state.values, .sums = {}, .gradient = {}, .weight_gradient = {}, .strips = {}},
      products_(graph.nodes.size()),
      slots_(graph.nodes.size()) {
  make_values(memory);
  const std::vector<Chain> chains = find_chains(graph_);
  make_products(chains, state);
  auto parameter = state.parameters.begin();
  auto statistics = state.statistics.begin();
  auto chain = chains.begin();
  std::vector<bool> joined(graph_.nodes.size(), false);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const GraphNode& node = graph_.nodes[i];
    if (node.op().product()) {
      parameter += static_cast<std::ptrdiff_t>(node.parameters().size());
    } else if (node.op().normalization()) {
      Parameter& scale = *parameter++;
      Parameter& shift = *parameter++;
      for (const std::size_t member : {chain->operand, chain->sum, chain->relu}) {
        joined[member] = member != 0;
      }
      add_normalization(*chain++, scale, shift, *statistics++);
    } else if (node.op().quantization() == QuantizePlace::operand && !joined[i]) {
      add_operand(i);
    } else if (!node.op().quantization() && !joined[i]) {
      add_layer(i);
    }
  }
}

void Executor::make_values(NetworkMemory& memory) {
  const MemoryPlan& plan = memory.plan();
  std::vector<std::shared_ptr<Value::Content>> contents(plan.sizes.size());  // by buffer
  std::ranges::generate(contents, [] { return std::make_shared<Value::Content>(); });
  const auto gradient = [&](const Shape& shape, int buffer) {
    return buffer < 0 ? Value()
                      : Value(shape, memory.in_buffer(shape, buffer), memory.buffer(buffer),
                              contents[static_cast<std::size_t>(buffer)]);
  };
  for (std::size_t value = 0; value <= graph_.nodes.size(); ++value) {
    const Shape& shape = graph_.shape(static_cast<int>(value));
    data_.emplace_back(shape, memory.data(value), memory.buffer(plan.data[value]),
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
    slots_[i].forward = nothing;
    slots_[i].backward = nothing;
  }
}

Value* Executor::source_of(std::size_t node, std::size_t k) {
  return &data_[static_cast<std::size_t>(graph_.nodes[node].inputs[k])];
}

Value* Executor::gradient_of(std::size_t node) {
  Value& gradient = gradient_[node + 1];
  return gradient ? &gradient : nullptr;
}

Value* Executor::written_by(std::size_t node, std::size_t k) {
  Value& written = written_[node][k];
  return written ? &written : nullptr;
}

void Executor::make_products(const std::vector<Chain>& chains, ModelState& state) {
  auto parameter = state.parameters.begin();
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const GraphNode& node = graph_.nodes[i];
    if (const auto product = node.op().product()) {
      Parameter& weight = *parameter++;
      Parameter* const bias = product->bias ? &*parameter++ : nullptr;
      const auto readers = readers_of(graph_, i + 1);
      const bool normalized = readers.size() == 1 && std::ranges::any_of(chains, [&](const Chain& chain) {
                                return chain.normalization == readers.front();
                              });
      add_product(i, weight, bias, normalized);
    } else {
      parameter += static_cast<std::ptrdiff_t>(node.parameters().size());
    }
  }
}

void Executor::add_product(std::size_t node, Parameter& weight, Parameter* bias, bool keeps_bytes) {
  const std::size_t before = node - 1;
  const std::size_t behind = node + 1;
  const ProductParts parts = {.inputs = &graph_.nodes[before],
                              .product = &graph_.nodes[node],
                              .outputs = &graph_.nodes[behind],
                              .weight = &weight,
                              .bias = bias,
                              .source = source_of(before),
                              .quantized = data_of(before),
                              .raw = data_of(node),
                              .destination = data_of(behind),
                              .quantized_gradient = written_by(node),
                              .raw_gradient = gradient_of(node),
                              .destination_gradient = gradient_of(behind)};
  products_[node] = std::make_unique<ProductUnit>(parts, training_, integer_, keeps_bytes, scratch_);
  ProductUnit* const unit = products_[node].get();
  slots_[before].forward = [unit](Pass& pass) { unit->quantize_inputs(pass); };
  slots_[node].forward = [unit](Pass& pass) { unit->multiply(pass); };
  slots_[node].backward = [unit](Pass& pass) { unit->backward(pass); };
  slots_[behind].forward = [unit](Pass& pass) { unit->quantize_outputs(pass); };
  slots_[behind].backward = [unit](Pass& pass) { unit->quantize_gradient(pass); };
}

void Executor::add_normalization(const Chain& chain, Parameter& scale, Parameter& shift,
                                 RunningStatistics& statistics) {
  const std::size_t node = chain.normalization;
  const std::size_t last = chain.last();
  NormalizationParts parts = {.normalization = &graph_.nodes[node],
                              .operand = chain.operand == 0 ? nullptr : &graph_.nodes[chain.operand],
                              .sum = chain.sum == 0 ? nullptr : &graph_.nodes[chain.sum],
                              .rectifies = chain.relu != 0,
                              .scale = &scale,
                              .shift = &shift,
                              .statistics = &statistics,
                              .source = source_of(node),
                              .destination = data_of(last),
                              .gradient = gradient_of(last),
                              .source_gradient = written_by(node),
                              .consumers = {}};
  if (chain.sum != 0) {
    const bool first = source_of(chain.sum) == data_of(chain.operand);
    parts.other = source_of(chain.sum, first ? 1 : 0);
    parts.sum_gradient = chain.relu != 0 ? written_by(chain.relu) : gradient_of(chain.sum);
    parts.normalized_gradient = gradient_of(node);
  }
  const auto source = static_cast<std::size_t>(graph_.nodes[node].inputs.front());
  const bool behind_product =
      source >= 2 && products_[source - 2] != nullptr && readers_of(graph_, source - 1).size() == 1;
  parts.producer = behind_product ? products_[source - 2].get() : nullptr;
  parts.floats_needed = last + 1 == graph_.nodes.size();
  for (const std::size_t reader : readers_of(graph_, last)) {
    if (graph_.nodes[reader].op().quantization() == QuantizePlace::inputs) {
      parts.consumers.push_back(products_[reader + 1].get());
    } else {
      parts.floats_needed = true;
    }
  }
  const auto unit = std::make_shared<NormalizationUnit>(parts, training_, scratch_);
  slots_[node].forward = [unit](Pass& pass) { unit->prepare(pass); };
  if (last == node) {
    slots_[node].forward = [unit](Pass& pass) {
      unit->prepare(pass);
      unit->apply(pass);
    };
  } else {
    slots_[last].forward = [unit](Pass& pass) { unit->apply(pass); };
  }
  slots_[node].backward = [unit](Pass& pass) { unit->backward(pass); };
  if (chain.sum != 0) {
    slots_[last].backward = [unit](Pass& pass) { unit->begin_backward(pass); };
  }
}

void Executor::add_operand(std::size_t node) {
  const auto quantizer = std::make_shared<Quantizer>(graph_.nodes[node].name, Quantizer::Tensor::operands,
                                                     graph_.nodes[node].layer);
  Value* const source = source_of(node);
  Value* const destination = data_of(node);
  slots_[node].forward = [=, strip = AlignedVector<float>(source->strip())](Pass& pass) mutable {
    const std::span<float> to = destination->floats();
    quantizer->begin(pass);
    source->each_strip([&](std::size_t first, std::size_t length) {
      quantizer->to_grid(first, source->read(first, std::span(strip).first(length)),
                         to.subspan(first, length));
    });
    quantizer->end(pass);
    destination->set_floats();
  };
}

void Executor::add_layer(std::size_t node) {
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

int Executor::integer_products(const Pass& pass) const {
  return static_cast<int>(std::ranges::count_if(
      products_, [&](const auto& unit) { return unit != nullptr && unit->runs_integer(pass); }));
}

void Executor::begin(const Pass& pass) {
  bool changed = false;
  for (const auto& unit : products_) {
    changed = (unit != nullptr && unit->change_arithmetic(pass)) || changed;
  }
  if (changed) {
    scratch_.arena.trim();
  }
}

void Executor::forward(std::size_t node, Pass& pass) {
  slots_[node].forward(pass);
  if (node + 1 == slots_.size()) {
    data_.back().materialize();
  }
}

void Executor::backward(std::size_t node, Pass& pass) {
  if (node + 1 == slots_.size()) {
    gradient_.back().set_floats();  // the loss wrote them
  }
  slots_[node].backward(pass);
  for (const GradientSum& sum : slots_[node].sums) {
    add_gradients(sum);
  }
}

void Executor::add_gradients(const GradientSum& sum) {
  AlignedVector<float> strip(sum.sum.strip());
  AlignedVector<float> other(sum.sum.strip());
  const std::span<float> to = sum.sum.floats();
  sum.sum.each_strip([&](std::size_t first, std::size_t length) {
    const auto total = std::span(strip).first(length);
    const auto previous = sum.previous.read(first, total);
    if (previous.data() != total.data()) {
      std::copy(previous.begin(), previous.end(), total.begin());
    }
    add(sum.written.read(first, std::span(other).first(length)), total);
    std::copy(total.begin(), total.end(), to.begin() + static_cast<std::ptrdiff_t>(first));
  });
  Value(sum.sum).set_floats();
}

}  // namespace adapt
