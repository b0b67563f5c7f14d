#pragma once

#include <cstddef>
#include <vector>

namespace adapt {

/// Asks the system for large pages in a block, as far as they are within it: a pass that goes through many
/// places at a time finds no entries for all in the processor's tables of small ones. Where the system
/// refuses, nothing happens.
void use_large_pages(void* block, std::size_t bytes);

/// Memory on 64-byte boundaries: a cache line, and the widest vector register. Large blocks stand on large
/// pages. Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes);
/// Gives back a block of so many bytes.
void deallocate_aligned(void* block, std::size_t bytes);

/// Allocates by allocate_aligned().
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class U>
  explicit AlignedAllocator(const AlignedAllocator<U>& /*other*/) {}

  T* allocate(std::size_t count) { return static_cast<T*>(allocate_aligned(count * sizeof(T))); }
  void deallocate(T* pointer, std::size_t count) { deallocate_aligned(pointer, count * sizeof(T)); }
  template <class U>
  bool operator==(const AlignedAllocator<U>& /*other*/) const {
    return true;
  }
};

/// A vector whose data starts on a 64-byte boundary.
template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace adapt
