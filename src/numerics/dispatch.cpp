#include "numerics/dispatch.hpp"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "numerics/quantize.hpp"

namespace adapt::vector {
namespace {

/// Whether the processor multiplies tiles of bytes (AMX). Clang 14 has no name for this in
/// __builtin_cpu_supports.
bool has_byte_tiles() {
  constexpr unsigned kFeatures = 7;
  constexpr unsigned kByteTiles = 1U << 25U;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(kFeatures, 0, &eax, &ebx, &ecx, &edx) == 1 && (edx & kByteTiles) != 0;
}

/// Linux gives a process the state of AMX's tiles only when asked.
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  static const bool allowed = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return allowed;
}

bool has_vnni() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"); }

}  // namespace

const Kernels* find_kernels(std::string_view instruction_set) {
  if (instruction_set == "generic") {
    return &generic::kKernels;
  }
  if (instruction_set == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &avx2::kKernels;
  }
  if (instruction_set == "avx512" && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return &avx512::kKernels;
  }
  return nullptr;
}

std::optional<Level> find_level(std::string_view name) {
  if (std::ranges::count(kLevels, name) == 0) {
    return {};
  }
  const bool is_newer = std::ranges::count(kInstructionSets, name) == 0;
  Level level = {.name = name, .kernels = find_kernels(is_newer ? kInstructionSets.back() : name)};
  if (level.kernels == nullptr) {
    return {};
  }
  if (name == "generic") {
    return level;
  }
  level.words = name == "avx2" ? &avx2::kWords : &avx512::kWords;
  level.floats = name == "avx2" ? &avx2::kFloatProducts : &avx512::kFloatProducts;
  if (!is_newer) {
    return level;
  }
  if (!has_vnni() || (name == "amx" && !(has_byte_tiles() && may_use_tiles()))) {
    return {};
  }
  level.bytes = name == "amx" ? &amx::kBytes : &vnni::kBytes;
  level.words = &vnni::kWords;
  return level;
}

Level select_level(std::string_view wanted) {
  Level best;
  std::string available;
  for (const std::string_view name : kLevels) {
    const auto level = find_level(name);
    if (!level) {
      continue;
    }
    if (name == wanted) {
      return *level;
    }
    best = *level;
    available += concat(available.empty() ? "" : ", ", name);
  }
  if (!wanted.empty()) {
    throw BadInput(
        concat("environment variable ADAPT_ISA is \"", wanted, "\", but this machine can run ", available));
  }
  return best;
}

const Level& level() {
  static const Level chosen = [] {
    const char* const wanted = std::getenv("ADAPT_ISA");
    return select_level(wanted == nullptr ? "" : wanted);
  }();
  return chosen;
}

const Kernels& kernels() { return *level().kernels; }

Grid grid_of(FixedFormat format) {
  if (!is_accepted(format.word_length, format.fractional_length)) {
    throw BadInput(concat("cannot quantize to the format ", format, ": the word length must be in 1..",
                          kMaxWordLength, " and the fractional length in ", kMinFractionalLength, "..",
                          kMaxFractionalLength));
  }
  const auto highest = static_cast<double>(format.highest());
  auto high = static_cast<float>(highest);
  if (high > highest) {
    high = std::nextafter(high, 0.0F);
  }
  return {.scale = format.scale(),
          .step = format.step(),
          .low = static_cast<float>(format.lowest()),
          .high = high,
          .excess = static_cast<std::int32_t>(highest - high)};
}

Sequence sequence_of(const RandomKey& key, std::uint32_t first_block) {
  return {.key = {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32U)},
          .counter = {static_cast<std::uint32_t>(key.stream) << 24U | key.tensor, key.step, key.shard},
          .first_block = first_block};
}

}  // namespace adapt::vector
