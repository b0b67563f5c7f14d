#include "nn/network_memory.hpp"

#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

/// The images come in float32, in the caller's memory; of another type they are cast into memory of their
/// own.
dnnl::memory image_memory(const Shape& shape, dnnl::memory::data_type type) {
  const auto description = onednn::activation(shape.n, shape.c, shape.h, shape.w, type);
  return type == dnnl::memory::data_type::f32 ? dnnl::memory(description, onednn::engine(), nullptr)
                                              : dnnl::memory(description, onednn::engine());
}

}  // namespace

dnnl::memory Buffer::view(const dnnl::memory::desc& description) {
  // Copies of a memory object are one object, so that its holders see where the data goes.
  views_.emplace_back(description, onednn::engine(), block_.data());
  return views_.back();
}

void Buffer::point(void* data) {
  for (dnnl::memory& view : views_) {
    view.set_data_handle(data);
  }
}

void Buffer::provide() {
  if (!block_) {
    block_ = arena_->take(bytes_);
    point(block_.data());
  }
}

void Buffer::release() {
  if (block_) {
    point(nullptr);
    block_.reset();
  }
}

NetworkMemory::NetworkMemory(const Graph& graph, bool training, dnnl::memory::data_type type,
                             const std::vector<JoinedNodes>& joined, Arena& arena)
    : plan_(plan_memory(graph, training)),
      lifetimes_(find_lifetimes(graph, plan_, training, joined)),
      type_(type) {
  for (const std::int64_t size : plan_.sizes) {
    buffers_.emplace_back(arena, static_cast<std::size_t>(size) * dnnl::memory::data_type_size(type));
  }
  for (std::size_t value = 0; value <= graph.nodes.size(); ++value) {
    const Shape& shape = graph.shape(static_cast<int>(value));
    data_.push_back(value == 0 ? image_memory(shape, type) : in_buffer(shape, plan_.data[value]));
    gradient_.push_back(in_buffer(shape, plan_.gradient[value]));
  }
  // The logits stay. What comes first lies lowest, where it is in nobody's way.
  provide(plan_.data.back());
}

dnnl::memory NetworkMemory::in_buffer(const Shape& shape, int index) {
  Buffer* const place = buffer(index);
  return place == nullptr ? dnnl::memory()
                          : place->view(onednn::activation(shape.n, shape.c, shape.h, shape.w, type_));
}

void NetworkMemory::provide_backward(std::size_t node) {
  for (const InputGradient& action : plan_.inputs[node]) {
    provide(action.written);
    provide(action.sum);
  }
}

void NetworkMemory::release(const std::vector<int>& buffers) {
  for (const int index : buffers) {
    buffer(index)->release();
  }
}

}  // namespace adapt
