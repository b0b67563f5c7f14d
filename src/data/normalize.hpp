#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.hpp"

namespace adapt {

/// Mean and deviation of each channel, of up to 10,000 images at equal distances: a pure function of the
/// images, as sums of bytes are exact. The deviation of a channel that is the same everywhere is 1.
Normalization measured_normalization(const Dataset& images);

/// Turns bytes into normalized numbers, one table of 256 entries per channel: every value is
/// (byte / 255 - mean) / deviation, computed in double and rounded once.
class NormalizationTable {
 public:
  /// `channels` is 1, 2 or 3. Throws Failure for another number.
  NormalizationTable(const Normalization& normalization, int channels);

  /// `bytes` and `values` are (..., channels), of the same size.
  void apply(std::span<const std::uint8_t> bytes, std::span<float> values) const;

 private:
  std::size_t channels_;
  std::vector<float> table_;  ///< (channels, 256)
};

}  // namespace adapt
