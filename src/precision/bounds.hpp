#pragma once

#include "numerics/quantize.hpp"

namespace adapt {

// What the keys of `precision` may hold, once for the reader of experiment files (experiment/settings.cpp),
// which says file and line, and for the policies, which take options from anywhere
// (precision/option_checks.cpp).

/// Word lengths 2..32 (one bit would hold no positive number); fractional lengths from the lowest that
/// numbers can be quantized to up to 32 (PushUp never goes beyond). PushDown searches within them.
inline constexpr int kLowestWordLength = 2;
inline constexpr int kHighestWordLength = 32;
inline constexpr int kLowestFractionalLength = kMinFractionalLength;
inline constexpr int kHighestFractionalLength = 32;

inline constexpr int kMostLookback = 1'000'000;
inline constexpr int kFewestBins = 2;
inline constexpr int kMostBins = 100'000;
inline constexpr int kMostBufferBits = 30;
inline constexpr double kLargestEpsilon = 100;

inline constexpr int kFewestDiversityEpochs = 2;
inline constexpr int kMostDiversityEpochs = 1000;
inline constexpr int kMostViolations = 1000;
inline constexpr double kLargestMuppetNumber = 1e6;  ///< threshold, slack, decay

}  // namespace adapt
