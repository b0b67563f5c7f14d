#pragma once

#include <algorithm>
#include <cstdint>
#include <dnnl.hpp>

#include "base/aligned.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {

/// A tensor of bytes 0xFF, of which floats are not numbers, with margins that tell whether somebody wrote
/// beside it.
class GuardedMemory {
 public:
  explicit GuardedMemory(const dnnl::memory::desc& layout)
      : bytes_(layout.get_size() + 2 * kMargin, kByte),
        memory_(layout, onednn::engine(), bytes_.data() + kMargin) {}

  [[nodiscard]] const dnnl::memory& get() const { return memory_; }
  [[nodiscard]] bool is_intact() const {
    const auto is_untouched = [](std::uint8_t byte) { return byte == kByte; };
    return std::all_of(bytes_.begin(), bytes_.begin() + kMargin, is_untouched) &&
           std::all_of(bytes_.end() - kMargin, bytes_.end(), is_untouched);
  }

 private:
  static constexpr std::ptrdiff_t kMargin = 4096;
  static constexpr std::uint8_t kByte = 0xFF;

  AlignedVector<std::uint8_t> bytes_;
  dnnl::memory memory_;
};

}  // namespace adapt
