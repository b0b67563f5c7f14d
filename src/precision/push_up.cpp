#include "precision/push_up.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/functions.hpp"

namespace adapt {
namespace {

constexpr int kWidest = 32;
constexpr double kManyBits = 1000;  // more than any FL can take; keeps 1 / L² inside int

}  // namespace

int added_bits(double diversity, int minimal_fractional_length, Strategy strategy) {
  const double level = log(diversity) - 1;
  if (!(level > 0)) {
    return 1;
  }
  const double square = level * level;
  const int s1 = static_cast<int>(std::clamp(std::ceil(1 / square), 1.0, kManyBits));
  const int s2_level = static_cast<int>(std::min(std::ceil(kWidest * square), double{kWidest}));
  const int s2 = std::max(s2_level - minimal_fractional_length, 0);
  switch (strategy) {
    case Strategy::min:
      return std::min(s1, s2);
    case Strategy::mean:
      return (s1 + s2 + 1) / 2;
    case Strategy::max:
      break;
  }
  return std::max(s1, s2);
}

FixedFormat on_tier(FixedFormat format, std::span<const int> tiers) {
  const auto tier = std::ranges::lower_bound(tiers, format.word_length);
  return {tier == tiers.end() ? format.word_length : *tier, format.fractional_length};
}

FixedFormat push_up(FixedFormat minimal, double diversity, Strategy strategy, int buffer_bits) {
  const int added = added_bits(diversity, minimal.fractional_length, strategy);
  const int learning_fl = std::min(minimal.fractional_length + added, kWidest);
  const int learning_wl = std::min(std::max(minimal.word_length, learning_fl) + 1, kWidest);
  const int fractional_length = std::min(learning_fl, kWidest - buffer_bits);
  return {std::max(std::min(fractional_length + buffer_bits, kWidest), learning_wl), fractional_length};
}

FixedFormat push_up_word(FixedFormat minimal, double diversity, Strategy strategy, int buffer_bits) {
  const int added = added_bits(diversity, minimal.fractional_length, strategy);
  return {std::min(minimal.word_length + added + buffer_bits, kWidest),
          std::min(minimal.fractional_length + added, kWidest)};
}

}  // namespace adapt
