#pragma once

#include <span>
#include <vector>

#include "exchange/encoding.hpp"

namespace adapt {

/// Where each tensor stands in one contiguous buffer, so that a step needs one reduction and not one per
/// tensor.
class TensorLayout {
 public:
  explicit TensorLayout(const std::vector<ExchangeTensor>& tensors) {
    for (const ExchangeTensor& tensor : tensors) {
      starts_.push_back(total_);
      sizes_.push_back(tensor.size);
      total_ += tensor.size;
    }
  }

  [[nodiscard]] std::size_t total() const { return total_; }

  /// Tensor `index` within `buffer`.
  template <class T>
  [[nodiscard]] std::span<T> part(std::span<T> buffer, std::size_t index) const {
    return buffer.subspan(starts_[index], sizes_[index]);
  }

 private:
  std::vector<std::size_t> starts_;
  std::vector<std::size_t> sizes_;
  std::size_t total_ = 0;
};

}  // namespace adapt
