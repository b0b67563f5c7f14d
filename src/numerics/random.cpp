#include "numerics/random.hpp"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

#include "numerics/functions.hpp"

namespace adapt {

std::array<std::uint32_t, 4> random_block(const RandomKey& key, std::uint32_t block) {
  using Philox = r123::Philox4x32_R<7>;
  const Philox::ctr_type counter = {
      {block, static_cast<std::uint32_t>(key.stream) << 24U | key.tensor, key.step, key.shard}};
  const Philox::key_type words = {
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32U)}};
  const Philox::ctr_type out = Philox()(counter, words);
  return {out[0], out[1], out[2], out[3]};
}

std::uint32_t RandomSequence::bits() {
  if (position_ == block_.size()) {
    block_ = random_block(key_, next_block_++);
    position_ = 0;
  }
  return block_[position_++];
}

double RandomSequence::uniform() {
  const std::uint64_t high = bits() >> 5U;  // 27 bits
  const std::uint64_t low = bits() >> 6U;   // 26 bits
  return static_cast<double>(high << 26U | low) * 0x1p-53;
}

std::uint32_t RandomSequence::below(std::uint32_t bound) {
  // Lemire's multiplication with rejection: the low half of the product says whether this draw is in a biased
  // stretch.
  const std::uint32_t threshold = (0U - bound) % bound;
  std::uint64_t product = 0;
  do {
    product = std::uint64_t{bits()} * bound;
  } while (static_cast<std::uint32_t>(product) < threshold);
  return static_cast<std::uint32_t>(product >> 32U);
}

double RandomSequence::normal() {
  const double radius = std::sqrt(-2.0 * log(1.0 - uniform()));
  return radius * cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace adapt
