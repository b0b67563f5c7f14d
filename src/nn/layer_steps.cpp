#include "nn/layer_steps.hpp"

#include <memory>
#include <span>

#include "base/error.hpp"
#include "base/stop_signal.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/not_finite.hpp"

namespace adapt {
namespace {

/// A sum of two gradients of the same value that backward has to make.
struct GradientSum {
  dnnl::binary addition;
  dnnl::memory previous;
  dnnl::memory written;
  dnnl::memory sum;

  void run() const {
    onednn::run(addition, {{DNNL_ARG_SRC_0, previous}, {DNNL_ARG_SRC_1, written}, {DNNL_ARG_DST, sum}});
  }
};

/// A node as its step sees it.
struct CompiledNode {
  GraphNode node;
  std::size_t index = 0;
  dnnl::memory output;
  std::unique_ptr<Layer> layer;
  std::vector<GradientSum> sums;

  /// See nn/not_finite.hpp.
  void check_output(const Pass& pass) const {
    if (pass.names_not_finite) {
      const Shape& shape = node.output;
      const dnnl::memory floats(onednn::activation(shape.n, shape.c, shape.h, shape.w), onednn::engine());
      onednn::reorder(output, floats);
      check_finite(
          pass, node,
          {static_cast<const float*>(floats.get_data_handle()), static_cast<std::size_t>(shape.elements())});
    }
  }
};

/// Nodes are compiled in their order, as their parameters stand in `state`.
class Compiler {
 public:
  Compiler(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training)
      : graph_(graph), state_(state), memory_(memory), training_(training) {}

  Step compile(std::size_t i) {
    const auto compiled = std::make_shared<CompiledNode>();
    compiled->node = graph_.nodes[i];
    compiled->index = i;
    compiled->output = memory_.data(i + 1);
    LayerMemory places = {{}, compiled->output, {}, memory_.gradient(i + 1)};
    for (std::size_t k = 0; k < compiled->node.inputs.size(); ++k) {
      add_input(*compiled, k, places);
    }
    const std::size_t parameters = make_layer(*compiled, places);
    NetworkMemory& memory = memory_;
    Step step = {.name = compiled->node.name,
                 .forward =
                     [compiled, &memory](Pass& pass) {
                       memory.provide_forward(compiled->index);
                       compiled->layer->forward(pass);
                       compiled->check_output(pass);
                       memory.end_forward(compiled->index);
                     },
                 .backward = {},
                 .parameters = parameters};
    if (training_) {
      step.backward = [compiled, &memory](Pass& pass) {
        memory.provide_backward(compiled->index);
        compiled->layer->backward(pass);
        for (const GradientSum& sum : compiled->sums) {
          sum.run();
        }
        memory.end_backward(compiled->index);
      };
    }
    return step;
  }

 private:
  void add_input(CompiledNode& compiled, std::size_t k, LayerMemory& places) {
    const GraphNode& node = compiled.node;
    places.sources.push_back(memory_.data(static_cast<std::size_t>(node.inputs[k])));
    const InputGradient action = memory_.plan().input_gradient(compiled.index, k);
    places.source_gradients.push_back(memory_.in_buffer(node.input, action.written));
    if (action.previous >= 0) {
      const dnnl::memory sum = memory_.in_buffer(node.input, action.sum);
      compiled.sums.push_back({dnnl::binary(onednn::addition(sum.get_desc())),
                               memory_.in_buffer(node.input, action.previous), places.source_gradients.back(),
                               sum});
    }
  }

  /// Returns the number of its parameters.
  std::size_t make_layer(CompiledNode& compiled, const LayerMemory& places) {
    const GraphNode& node = compiled.node;
    if (onednn::type_of(places.destination.get_desc()) == dnnl::memory::data_type::bf16 &&
        !node.op().has_bfloat16()) {
      throw BadInput(concat(node.place, node.place.empty() ? "" : ": ", "layer '", node.name,
                            "': operations of kind ", node.op().kind(),
                            " have no bfloat16 form; expected engine float32, emulated or integer"));
    }
    const std::size_t count = node.parameters().size();
    const std::span parameters = std::span(state_.parameters).subspan(next_parameter_, count);
    next_parameter_ += count;
    RunningStatistics* const statistics =
        node.op().normalization() ? &state_.statistics.at(next_statistics_++) : nullptr;
    compiled.layer = node.op().make_layer(
        {node.input, node.output, places, parameters, statistics, training_, compiled.index});
    return count;
  }

  const Graph& graph_;
  ModelState& state_;
  NetworkMemory& memory_;
  bool training_;
  std::size_t next_parameter_ = 0;
  std::size_t next_statistics_ = 0;
};

}  // namespace

std::vector<Step> layer_steps(const Graph& graph, ModelState& state, NetworkMemory& memory, bool training) {
  Compiler compiler(graph, state, memory, training);
  std::vector<Step> steps;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    check_stop();
    steps.push_back(compiler.compile(i));
  }
  return steps;
}

}  // namespace adapt
