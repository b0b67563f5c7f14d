#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "mpi/communicator.hpp"

namespace adapt {

/// Sums of several tensors in one contiguous buffer, so that a step needs one reduction and not one per
/// tensor.
template <class T>
class TensorSums {
 public:
  /// Forgets all tensors.
  void clear() {
    ends_.clear();
    sums_.clear();
  }
  /// Adds a tensor of `size` zeros.
  void append(std::size_t size) {
    sums_.resize(sums_.size() + size);
    ends_.push_back(sums_.size());
  }

  [[nodiscard]] std::span<T> operator[](std::size_t index) { return part(std::span(sums_), index); }
  [[nodiscard]] std::span<const T> operator[](std::size_t index) const {
    return part(std::span(sums_), index);
  }

  /// Adds up the sums of all ranks (collective, unless there is nothing to add up).
  void reduce(const mpi::Communicator& ranks) {
    if (!sums_.empty()) {
      ranks.sum(std::span(sums_));
    }
  }

  [[nodiscard]] std::int64_t bytes() const { return static_cast<std::int64_t>(sums_.size() * sizeof(T)); }

 private:
  template <class U>
  [[nodiscard]] std::span<U> part(std::span<U> sums, std::size_t index) const {
    const std::size_t start = index == 0 ? 0 : ends_[index - 1];
    return sums.subspan(start, ends_[index] - start);
  }

  std::vector<std::size_t> ends_;  // of each tensor, in sums_
  AlignedVector<T> sums_;
};

}  // namespace adapt
