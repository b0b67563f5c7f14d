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

/// The registers that CPUID fills in its list of extended features; 0 where there is no such leaf.
struct Features {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

/// Of the features that __builtin_cpu_supports of Clang 14 has no names for.
Features features(unsigned subleaf) {
  constexpr unsigned kExtendedFeatures = 7;
  Features found;
  if (__get_cpuid_count(kExtendedFeatures, subleaf, &found.eax, &found.ebx, &found.ecx, &found.edx) != 1) {
    return {};
  }
  return found;
}

/// Whether the processor multiplies tiles of bytes (AMX).
bool has_byte_tiles() { return (features(0).edx & 1U << 25U) != 0; }

/// Linux gives a process the state of AMX's tiles only when asked.
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  static const bool allowed = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return allowed;
}

bool has_vnni() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"); }

/// The same for registers of 256 bits.
bool has_avx_vnni() { return (features(1).eax & 1U << 4U) != 0; }

bool is_usual() { return true; }
bool has_amx() { return has_vnni() && has_byte_tiles() && may_use_tiles(); }

/// A level, what it needs beside its kernels, and what it multiplies by.
struct Candidate {
  std::string_view name;
  std::string_view kernels;
  bool (*has_products)();
  const ByteProducts* bytes;
  const WordProducts* words;
  const FloatProducts* floats;
};

const std::array<Candidate, kLevels.size()> kCandidates = {{
    {"generic", "generic", is_usual, nullptr, &generic::kWords, &generic::kFloatProducts},
    {"avx2", "avx2", is_usual, nullptr, &avx2::kWords, &avx2::kFloatProducts},
    {"avx_vnni", "avx2", has_avx_vnni, &avx_vnni::kBytes, &avx_vnni::kWords, &avx2::kFloatProducts},
    {"avx512", "avx512", is_usual, nullptr, &avx512::kWords, &avx512::kFloatProducts},
    {"vnni", "avx512", has_vnni, &vnni::kBytes, &vnni::kWords, &avx512::kFloatProducts},
    {"amx", "avx512", has_amx, &amx::kBytes, &vnni::kWords, &avx512::kFloatProducts},
}};

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
  const auto* const found = std::ranges::find(kCandidates, name, &Candidate::name);
  if (found == kCandidates.end()) {
    return {};
  }
  const Kernels* const kernels = find_kernels(found->kernels);
  if (kernels == nullptr || !found->has_products()) {
    return {};
  }
  return Level{found->name, kernels, found->bytes, found->words, found->floats};
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
