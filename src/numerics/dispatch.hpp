#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "numerics/format.hpp"
#include "numerics/random.hpp"
#include "numerics/vector/kernels.hpp"
#include "numerics/vector/product.hpp"

namespace adapt::vector {

/// The instruction sets with vector code of their own, slowest first.
inline constexpr std::array<std::string_view, 3> kInstructionSets = {"generic", "avx2", "avx512"};

/// The kernels of one of kInstructionSets, or null when this processor (or its operating system) cannot run
/// them.
[[nodiscard]] const Kernels* find_kernels(std::string_view instruction_set);

/// What a processor can do best.
struct Level {
  std::string_view name;
  const Kernels* kernels = &generic::kKernels;
  const ByteProducts* bytes = nullptr;  ///< or null: bytes are multiplied as words
  const WordProducts* words = &generic::kWords;
  const FloatProducts* floats = &generic::kFloatProducts;
};

/// The levels that exist, slowest first: kInstructionSets, and what multiplies faster.
inline constexpr std::array<std::string_view, 6> kLevels = {"generic", "avx2", "avx_vnni",
                                                            "avx512",  "vnni", "amx"};

/// One of kLevels, or nothing when this processor (or its operating system) cannot run it.
[[nodiscard]] std::optional<Level> find_level(std::string_view name);

/// The fastest level this processor runs, or the one named by `wanted` unless it is empty. Throws BadInput
/// when `wanted` is not one of kLevels or cannot run here.
[[nodiscard]] Level select_level(std::string_view wanted);

/// select_level() for the environment variable ADAPT_ISA, decided at the first call.
[[nodiscard]] const Level& level();
/// Those of level().
[[nodiscard]] const Kernels& kernels();

/// `format` as the kernels need it. Throws BadInput for a format that quantize.hpp excludes.
[[nodiscard]] Grid grid_of(FixedFormat format);

/// The words behind random_block(key, first_block) and its successors.
[[nodiscard]] Sequence sequence_of(const RandomKey& key, std::uint32_t first_block);

}  // namespace adapt::vector
