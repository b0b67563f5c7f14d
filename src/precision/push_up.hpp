#pragma once

#include <array>
#include <span>

#include "base/names.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// How PushUp combines its two suggestions s1 and s2.
enum class Strategy { min, mean, max };
template <>
inline constexpr auto kNames<Strategy> =
    std::array{Named{"min", Strategy::min}, Named{"mean", Strategy::mean}, Named{"max", Strategy::max}};

/// Bits s that PushUp adds behind the binary point for gradient diversity Δ (>= 1, or +inf): with L = ln Δ -
/// 1, s1 = max(ceil(1 / L²), 1), s2 = max(min(ceil(32 L²), 32) - FL_min, 0), s = min, mean (rounded up) or
/// max of both for L > 0; 1 otherwise. At most 1000 where 1 / L² grows beyond all bounds.
int added_bits(double diversity, int minimal_fractional_length, Strategy strategy);

/// AdaPT's PushUp: the format in which learning goes on, from PushDown's `minimal` one. FL = min(FL_min + s,
/// 32), WL = min(max(WL_min, FL) + 1, 32); then with b buffer bits (0..30) FL = min(FL, 32 - b), WL =
/// max(min(FL + b, 32), WL). As published: WL follows FL and not the range of the weights, so that weights
/// beyond ±2^(WL - 1 - FL) saturate; the buffer bits keep b - 1 bits before the binary point.
FixedFormat push_up(FixedFormat minimal, double diversity, Strategy strategy, int buffer_bits);

/// The same where the scale takes care of the range (`growth: word`): WL = WL_min + s + b, FL = FL_min + s.
FixedFormat push_up_word(FixedFormat minimal, double diversity, Strategy strategy, int buffer_bits);

/// `format` with its word length rounded up to the next of `tiers` (ascending), FL as it is; unchanged where
/// none is that long.
FixedFormat on_tier(FixedFormat format, std::span<const int> tiers);

}  // namespace adapt
