#include "nn/memory_plan.hpp"

#include "nn/buffer_pool.hpp"

namespace adapt {
namespace {

class Planner {
 public:
  Planner(const Graph& graph, bool training) : graph_(graph), training_(training) {
    plan_.data.assign(graph.nodes.size() + 1, -1);
    plan_.gradient.assign(graph.nodes.size() + 1, -1);
    plan_.inputs.resize(graph.nodes.size());
  }

  MemoryPlan run() {
    plan_forward();
    if (training_) {
      plan_backward();
    }
    plan_.sizes = pool_.sizes();
    return std::move(plan_);
  }

 private:
  static std::size_t at(int value) { return static_cast<std::size_t>(value); }
  [[nodiscard]] const GraphNode& writer(int value) const { return graph_.nodes[at(value - 1)]; }

  /// Whether the node may overwrite its first input.
  [[nodiscard]] bool may_overwrite(const GraphNode& node) const {
    const int input = node.inputs.front();
    if (input == 0 || !works_in_place(node.spec) || graph_.readers(input) != 1) {
      return false;
    }
    return !training_ || !backward_reads_output(writer(input).spec);
  }

  void plan_forward() {
    std::vector<int> unread(plan_.data.size());
    for (int value = 0; value < static_cast<int>(unread.size()); ++value) {
      unread[at(value)] = graph_.readers(value);
    }
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i) {
      const GraphNode& node = graph_.nodes[at(i)];
      int& output = plan_.data[at(i + 1)];
      if (may_overwrite(node)) {
        output = plan_.data[at(node.inputs.front())];
        pool_.hold(output);
      } else {
        output = pool_.take(node.output.elements());
      }
      for (const int input : node.inputs) {
        if (--unread[at(input)] == 0 && input != 0 && !training_) {
          pool_.release(plan_.data[at(input)]);
        }
      }
    }
  }

  void plan_backward() {
    const int last = static_cast<int>(graph_.nodes.size());
    plan_.gradient[at(last)] = pool_.take(graph_.shape(last).elements());
    for (int i = last - 1; i >= 0; --i) {
      const GraphNode& node = graph_.nodes[at(i)];
      plan_.inputs[at(i)].resize(node.inputs.size());
      const int own = plan_.gradient[at(i + 1)];
      if (node.input_gradient) {
        for (std::size_t k = 0; k < node.inputs.size(); ++k) {
          plan_input(node, k, own, plan_.inputs[at(i)][k]);
        }
      }
      if (own >= 0) {
        pool_.release(own);
      }
    }
  }

  void plan_input(const GraphNode& node, std::size_t k, int own, InputGradient& action) {
    const int value = node.inputs[k];
    if (value == 0 || !needs_gradient(value)) {
      return;
    }
    // Backward in place needs the buffer for itself; handing on unchanged does not.
    const bool in_place =
        std::holds_alternative<ActivationSpec>(node.spec) || std::holds_alternative<QuantizeSpec>(node.spec);
    const bool shares = backward_is_identity(node.spec) || (in_place && pool_.holders(own) == 1);
    action.written = shares ? own : pool_.take(graph_.shape(value).elements());
    if (shares) {
      pool_.hold(own);
    }
    int& gradient = plan_.gradient[at(value)];
    if (gradient < 0) {
      gradient = action.written;
      return;
    }
    action.previous = gradient;
    action.sum = pool_.holders(gradient) == 1 ? gradient : pool_.take(graph_.shape(value).elements());
    pool_.release(action.written);
    if (action.sum != gradient) {
      pool_.release(gradient);
    }
    gradient = action.sum;
  }

  [[nodiscard]] bool needs_gradient(int value) const {
    const GraphNode& node = writer(value);
    return node.input_gradient || std::holds_alternative<ConvolutionSpec>(node.spec) ||
           std::holds_alternative<LinearSpec>(node.spec) || std::holds_alternative<BatchNormSpec>(node.spec);
  }

  const Graph& graph_;
  bool training_;
  BufferPool pool_;
  MemoryPlan plan_;
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph, bool training) { return Planner(graph, training).run(); }

}  // namespace adapt
