#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <vector>

#include "base/arena.hpp"
#include "nn/graph.hpp"
#include "nn/passes/memory_plan.hpp"

namespace adapt {

/// A buffer of a memory plan: it takes memory when something is computed into it and gives it back when
/// nobody needs that any more.
class Buffer {
 public:
  Buffer(Arena& arena, std::size_t bytes) : arena_(&arena), bytes_(bytes) {}

  /// A memory object that stands in the buffer, wherever that is: without data while the buffer has none.
  dnnl::memory view(const dnnl::memory::desc& description);
  /// From now on there is memory; what it held already stays.
  void provide();
  void release();

 private:
  void point(void* data);

  Arena* arena_;
  std::size_t bytes_;
  Arena::Block block_;
  std::vector<dnnl::memory> views_;
};

/// The memory of a network's values and gradients.
class NetworkMemory {
 public:
  /// Elements of all values are of `type`; `joined` as in find_lifetimes.
  NetworkMemory(const Graph& graph, bool training, dnnl::memory::data_type type,
                const std::vector<JoinedNodes>& joined, Arena& arena);

  [[nodiscard]] const MemoryPlan& plan() const { return plan_; }
  /// By value. Of float32 images it has no data; where a value has no gradient it is empty.
  [[nodiscard]] const dnnl::memory& data(std::size_t value) const { return data_[value]; }
  [[nodiscard]] const dnnl::memory& gradient(std::size_t value) const { return gradient_[value]; }
  /// A tensor in buffer `index` of the plan; empty for -1.
  dnnl::memory in_buffer(const Shape& shape, int index);
  /// Null for -1.
  Buffer* buffer(int index) { return index < 0 ? nullptr : &buffers_[static_cast<std::size_t>(index)]; }

  void provide(int index) {
    if (Buffer* const wanted = buffer(index)) {
      wanted->provide();
    }
  }
  /// What forward, or backward, of the node writes.
  void provide_forward(std::size_t node) { provide(plan_.data[node + 1]); }
  void provide_backward(std::size_t node);

  /// The node is done.
  void end_forward(std::size_t node) { release(lifetimes_.end_forward[node]); }
  void end_backward(std::size_t node) { release(lifetimes_.end_backward[node]); }

 private:
  void release(const std::vector<int>& buffers);

  MemoryPlan plan_;
  Lifetimes lifetimes_;
  dnnl::memory::data_type type_;
  std::vector<Buffer> buffers_;
  std::vector<dnnl::memory> data_;
  std::vector<dnnl::memory> gradient_;
};

}  // namespace adapt
