#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/aligned.hpp"

namespace adapt {

/// Arrays of bytes that live from one unit of a network to another: as many as are in use at a time.
class BytePool {
 public:
  using Bytes = AlignedVector<std::int8_t>;

  /// `size` bytes with any content.
  Bytes take(std::size_t size) {
    if (free_.empty()) {
      return Bytes(size);
    }
    // The longest one, so that few grow.
    const auto longest =
        std::ranges::max_element(free_, {}, [](const Bytes& bytes) { return bytes.capacity(); });
    Bytes bytes = std::move(*longest);
    free_.erase(longest);
    bytes.resize(size);
    return bytes;
  }
  void give_back(Bytes bytes) { free_.push_back(std::move(bytes)); }

 private:
  std::vector<Bytes> free_;
};

}  // namespace adapt
