#pragma once

#include <cstdint>
#include <span>

#include "numerics/vector/kernels.hpp"

namespace adapt {

using vector::Storage;
using vector::SumEpilogue;

/// dst[i] = store(output_factor · r(o(factors[c] · (float(sums[i]) + addends[c])) + residual_factor ·
/// residual[i])) with c = i mod period and r the positive part, or what goes in; o(x) = operand_step · byte(x
/// / operand_step) where there is a residual and a step, which is a power of two, and x elsewhere. Each
/// operation is rounded by itself to float32 (no fused multiply-add); bytes are rounded to nearest, ties to
/// even, and clamped to their range. `residual` and `dst` point to as many numbers as there are sums, of the
/// types, and may be the same where these are; NaN, which a residual may be, becomes 0 in the positive part
/// and the greatest byte. residual_type may be none. Throws Failure where `dst` has none.
void finish_sums(std::span<const std::int32_t> sums, const SumEpilogue& epilogue, Storage residual_type,
                 const void* residual, Storage type, void* dst);

}  // namespace adapt
