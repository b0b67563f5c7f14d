#include "nn/passes/memory_plan.hpp"

#include <algorithm>
#include <utility>

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
    return std::move(plan_);
  }

 private:
  static std::size_t at(int value) { return static_cast<std::size_t>(value); }
  [[nodiscard]] const GraphNode& writer(int value) const { return graph_.nodes[at(value - 1)]; }

  /// Whether the node may overwrite its first input.
  [[nodiscard]] bool may_overwrite(const GraphNode& node) const {
    const int input = node.inputs.front();
    if (input == 0 || !node.op().works_in_place() || graph_.readers[at(input)].size() != 1) {
      return false;
    }
    return !training_ || !writer(input).op().backward().output;
  }

  /// A new buffer with one holder.
  int take(std::int64_t elements) {
    plan_.sizes.push_back(elements);
    holders_.push_back(1);
    return static_cast<int>(plan_.sizes.size()) - 1;
  }

  void plan_forward() {
    for (int i = 0; i < static_cast<int>(graph_.nodes.size()); ++i) {
      const GraphNode& node = graph_.nodes[at(i)];
      plan_.data[at(i + 1)] =
          may_overwrite(node) ? plan_.data[at(node.inputs.front())] : take(node.output.elements());
    }
  }

  void plan_backward() {
    const int last = static_cast<int>(graph_.nodes.size());
    plan_.gradient[at(last)] = take(graph_.shape(last).elements());
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
        --holders_[at(own)];
      }
    }
  }

  void plan_input(const GraphNode& node, std::size_t k, int own, InputGradient& action) {
    const int value = node.inputs[k];
    if (value == 0 || !needs_gradient(value)) {
      return;
    }
    // Backward in place needs the buffer for itself; handing on unchanged does not.
    const bool shares =
        node.op().backward().is_identity || (node.op().works_in_place() && holders_[at(own)] == 1);
    action.written = shares ? own : take(graph_.shape(value).elements());
    if (shares) {
      ++holders_[at(own)];
    }
    int& gradient = plan_.gradient[at(value)];
    if (gradient < 0) {
      gradient = action.written;
      return;
    }
    action.previous = gradient;
    action.sum = holders_[at(gradient)] == 1 ? gradient : take(graph_.shape(value).elements());
    --holders_[at(action.written)];
    if (action.sum != gradient) {
      --holders_[at(gradient)];
    }
    gradient = action.sum;
  }

  [[nodiscard]] bool needs_gradient(int value) const {
    const GraphNode& node = writer(value);
    return node.input_gradient || !node.parameters().empty();
  }

  const Graph& graph_;
  bool training_;
  std::vector<int> holders_;  // of buffers of gradients: who needs their content
  MemoryPlan plan_;
};

/// Nodes work at times: in forward node i at i, in backward at 2 · nodes - 1 - i.
class LifetimeFinder {
 public:
  LifetimeFinder(const Graph& graph, const MemoryPlan& plan, const std::vector<JoinedNodes>& joined)
      : graph_(graph), plan_(plan), joined_(joined), last_use_(plan.sizes.size(), 0) {}

  Lifetimes run(bool training) {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      use_forward(i);
      if (training) {
        use_backward(i);
      }
    }
    const std::size_t nodes = graph_.nodes.size();
    Lifetimes lifetimes = {std::vector<std::vector<int>>(nodes), std::vector<std::vector<int>>(nodes)};
    for (std::size_t buffer = 0; buffer < last_use_.size(); ++buffer) {
      const std::size_t time = last_use_[buffer];
      if (static_cast<int>(buffer) != plan_.data.back()) {
        auto& ends =
            time < nodes ? lifetimes.end_forward[time] : lifetimes.end_backward[2 * nodes - 1 - time];
        ends.push_back(static_cast<int>(buffer));
      }
    }
    return lifetimes;
  }

 private:
  [[nodiscard]] const JoinedNodes* group_of(std::size_t node) const {
    const auto group = std::ranges::find_if(
        joined_, [node](const JoinedNodes& nodes) { return nodes.first <= node && node <= nodes.last; });
    return group == joined_.end() ? nullptr : &*group;
  }

  void use(int buffer, std::size_t time) {
    if (buffer >= 0) {
      std::size_t& last = last_use_[static_cast<std::size_t>(buffer)];
      last = std::max(last, time);
    }
  }
  [[nodiscard]] int data(int value) const { return plan_.data[static_cast<std::size_t>(value)]; }

  void use_forward(std::size_t i) {
    const JoinedNodes* const group = group_of(i);
    const std::size_t time = group == nullptr ? i : group->last;
    use(plan_.data[i + 1], time);
    for (const int input : graph_.nodes[i].inputs) {
      use(data(input), time);
    }
  }

  void use_backward(std::size_t i) {
    const GraphNode& node = graph_.nodes[i];
    const JoinedNodes* const group = group_of(i);
    const std::size_t time = 2 * graph_.nodes.size() - 1 - (group == nullptr ? i : group->first);
    if (node.op().backward().input) {
      use(data(node.inputs.front()), time);
    }
    if (node.op().backward().output && group == nullptr) {
      use(plan_.data[i + 1], time);
    }
    use(plan_.gradient[i + 1], time);
    for (const InputGradient& action : plan_.inputs[i]) {
      use(action.written, time);
      use(action.previous, time);
      use(action.sum, time);
    }
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  const std::vector<JoinedNodes>& joined_;
  std::vector<std::size_t> last_use_;  // by buffer: a time
};

/// Counts what buffers hold while nodes take and release them.
class Counter {
 public:
  explicit Counter(const std::vector<std::int64_t>& sizes) : sizes_(sizes), taken_(sizes.size(), false) {}

  void take(int buffer) {
    if (buffer >= 0 && !taken_[at(buffer)]) {
      taken_[at(buffer)] = true;
      held_ += sizes_[at(buffer)];
      most_ = std::max(most_, held_);
    }
  }
  void release(const std::vector<int>& buffers) {
    for (const int buffer : buffers) {
      held_ -= taken_[at(buffer)] ? sizes_[at(buffer)] : 0;
      taken_[at(buffer)] = false;
    }
  }
  [[nodiscard]] std::int64_t most() const { return most_; }

 private:
  static std::size_t at(int buffer) { return static_cast<std::size_t>(buffer); }

  const std::vector<std::int64_t>& sizes_;
  std::vector<bool> taken_;
  std::int64_t held_ = 0;
  std::int64_t most_ = 0;
};

bool is_inside(std::size_t node, const std::vector<JoinedNodes>& joined) {
  return std::ranges::any_of(
      joined, [node](const JoinedNodes& nodes) { return nodes.first <= node && node < nodes.last; });
}

/// What forward of a node makes: nothing, its output, or the quantizations of that, too.
void take_outputs(const Graph& graph, const MemoryPlan& plan, std::size_t node,
                  const std::vector<JoinedNodes>& joined, Counter& counter) {
  if (is_inside(node, joined)) {
    return;
  }
  counter.take(plan.data[node + 1]);
  if (std::ranges::find(joined, node, &JoinedNodes::last) == joined.end()) {
    return;
  }
  for (std::size_t reader = node + 1; reader < graph.nodes.size(); ++reader) {
    if (graph.nodes[reader].op().quantization() == QuantizePlace::inputs &&
        graph.nodes[reader].inputs.front() == static_cast<int>(node) + 1) {
      counter.take(plan.data[reader + 1]);
    }
  }
}

}  // namespace

MemoryPlan plan_memory(const Graph& graph, bool training) { return Planner(graph, training).run(); }

Lifetimes find_lifetimes(const Graph& graph, const MemoryPlan& plan, bool training,
                         const std::vector<JoinedNodes>& joined) {
  return LifetimeFinder(graph, plan, joined).run(training);
}

std::int64_t most_elements(const Graph& graph, bool training, const std::vector<JoinedNodes>& joined) {
  const MemoryPlan plan = plan_memory(graph, training);
  const Lifetimes lifetimes = find_lifetimes(graph, plan, training, joined);
  Counter counter(plan.sizes);
  counter.take(plan.data.back());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    take_outputs(graph, plan, i, joined, counter);
    counter.release(lifetimes.end_forward[i]);
  }
  counter.take(plan.gradient.back());
  for (std::size_t i = graph.nodes.size(); training && i-- > 0;) {
    for (const InputGradient& action : plan.inputs[i]) {
      counter.take(action.written);
      counter.take(action.sum);
    }
    counter.release(lifetimes.end_backward[i]);
  }
  return counter.most();
}

}  // namespace adapt
