#include "numerics/plan.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr auto kFormats = kTensors<std::optional<FixedFormat>>;
constexpr std::size_t kNumbersOfLayer = 2 * kFormats.size();
constexpr std::size_t kNumbersOfPlan = 2;  // version and final phase
constexpr int kFloat32 = 0;                // as a word length

/// A format that the file or the network gave. Throws BadInput unless it is one to compute with.
FixedFormat checked_format(std::int64_t word_length, std::int64_t fractional_length) {
  if (!is_accepted(word_length, fractional_length)) {
    throw BadInput(concat("saved precision plan: <", word_length, ",", fractional_length,
                          "> is no format, expected a word length of 1..", kMaxWordLength,
                          " and a fractional length of ", kMinFractionalLength, "..", kMaxFractionalLength));
  }
  return {static_cast<int>(word_length), static_cast<int>(fractional_length)};
}

}  // namespace

bool has_format(const PrecisionPlan& plan, std::optional<FixedFormat> LayerFormats::*tensor) {
  return std::ranges::any_of(plan.layers,
                             [&](const LayerFormats& layer) { return (layer.*tensor).has_value(); });
}

std::vector<std::int64_t> pack(const PrecisionPlan& plan) {
  std::vector<std::int64_t> packed = {plan.version, plan.final_phase};
  for (const LayerFormats& layer : plan.layers) {
    for (const auto tensor : kFormats) {
      const FixedFormat format = (layer.*tensor).value_or(FixedFormat{kFloat32, 0});
      packed.push_back(format.word_length);
      packed.push_back(format.fractional_length);
    }
  }
  return packed;
}

void unpack(std::span<const std::int64_t> packed, PrecisionPlan& plan) {
  const std::size_t expected = kNumbersOfPlan + kNumbersOfLayer * plan.layers.size();
  if (packed.size() != expected) {
    throw BadInput(concat("saved precision plan: ", packed.size(), " numbers, expected ", expected, " for ",
                          plan.layers.size(), " layers"));
  }
  auto number = packed.begin();
  plan.version = *number++;
  plan.final_phase = *number++;
  for (LayerFormats& layer : plan.layers) {
    for (const auto tensor : kFormats) {
      const std::int64_t word_length = *number++;
      const std::int64_t fractional_length = *number++;
      layer.*tensor = word_length == kFloat32 ? std::nullopt
                                              : std::optional(checked_format(word_length, fractional_length));
    }
  }
}

void check_formats(const PrecisionPlan& plan) {
  for (const LayerFormats& layer : plan.layers) {
    for (const auto tensor : kFormats) {
      if (const auto& format = layer.*tensor) {
        checked_format(format->word_length, format->fractional_length);
      }
    }
  }
}

}  // namespace adapt
