#pragma once

#include <array>
#include <cstdint>

namespace adapt {

/// What a random number is for. Each purpose draws from numbers of its own.
enum class Stream : std::uint32_t {
  initialization = 1,
  shuffle = 2,
  augmentation = 3,
  weights = 4,
  inputs = 5,
  outputs = 6,
  gradients = 7,
  procedural = 8,
  test = 9,
  operands = 10,
  activation_gradients = 11,
  folds = 12,
  mean_gradients = 13,
  gradient_blocks = 14,
  dropout = 15,
};

/// Names one sequence of random numbers. The number at (key, index) is a pure function of both, so it depends
/// neither on threads nor ranks nor vector width nor on what was drawn before.
struct RandomKey {
  std::uint64_t seed = 0;
  Stream stream = Stream::test;
  std::uint32_t tensor = 0;  ///< which layer or tensor, < 2^24
  std::uint32_t step = 0;    ///< training step or epoch
  std::uint32_t shard = 0;   ///< virtual shard, or 0
};

/// Block `block` of the sequence: four 32-bit words of Philox-4x32-7 (Salmon et al., SC 2011).
/// Key words: the seed's low and high half. Counter words: block, stream << 24 | tensor, step, shard.
[[nodiscard]] std::array<std::uint32_t, 4> random_block(const RandomKey& key, std::uint32_t block);

/// Draws one after another from the sequence of a key.
class RandomSequence {
 public:
  explicit RandomSequence(const RandomKey& key) : key_(key) {}

  /// 32 uniform bits.
  std::uint32_t bits();
  /// Uniform in [0, 1), multiples of 2^-53.
  double uniform();
  /// Uniform integer in [0, bound), bound >= 1, without modulo bias.
  std::uint32_t below(std::uint32_t bound);
  /// Standard normal (Box-Muller).
  double normal();

 private:
  RandomKey key_;
  std::array<std::uint32_t, 4> block_ = {};
  std::uint32_t next_block_ = 0;
  std::uint32_t position_ = 4;
};

}  // namespace adapt
