#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace adapt {

/// Buffers that are handed out and taken back.
class BufferPool {
 public:
  int take(std::int64_t elements) {
    int best = -1;
    for (int i = 0; i < static_cast<int>(sizes_.size()); ++i) {
      if (!taken_[index(i)] && (best < 0 || fits_better(i, best, elements))) {
        best = i;
      }
    }
    if (best < 0) {
      best = static_cast<int>(sizes_.size());
      sizes_.push_back(0);
      taken_.push_back(false);
    }
    sizes_[index(best)] = std::max(sizes_[index(best)], elements);
    taken_[index(best)] = true;
    return best;
  }
  void release(int buffer) { taken_[index(buffer)] = false; }
  [[nodiscard]] std::vector<std::int64_t> sizes() const { return sizes_; }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  /// The one whose size is nearest wastes or grows least.
  [[nodiscard]] bool fits_better(int a, int b, std::int64_t elements) const {
    return std::abs(sizes_[index(a)] - elements) < std::abs(sizes_[index(b)] - elements);
  }

  std::vector<std::int64_t> sizes_;
  std::vector<bool> taken_;
};

}  // namespace adapt
