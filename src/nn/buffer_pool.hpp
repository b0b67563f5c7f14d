#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace adapt {

/// Buffers that are handed out and taken back; a buffer may have several holders.
class BufferPool {
 public:
  int take(std::int64_t elements) {
    int best = -1;
    for (int i = 0; i < static_cast<int>(sizes_.size()); ++i) {
      if (holders_[index(i)] == 0 && (best < 0 || fits_better(i, best, elements))) {
        best = i;
      }
    }
    if (best < 0) {
      best = static_cast<int>(sizes_.size());
      sizes_.push_back(0);
      holders_.push_back(0);
    }
    sizes_[index(best)] = std::max(sizes_[index(best)], elements);
    holders_[index(best)] = 1;
    return best;
  }
  void hold(int buffer) { ++holders_[index(buffer)]; }
  void release(int buffer) { --holders_[index(buffer)]; }
  [[nodiscard]] int holders(int buffer) const { return holders_[index(buffer)]; }
  [[nodiscard]] std::vector<std::int64_t> sizes() const { return sizes_; }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  /// The one whose size is nearest wastes or grows least.
  [[nodiscard]] bool fits_better(int a, int b, std::int64_t elements) const {
    return std::abs(sizes_[index(a)] - elements) < std::abs(sizes_[index(b)] - elements);
  }

  std::vector<std::int64_t> sizes_;
  std::vector<int> holders_;
};

}  // namespace adapt
