#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "exchange/encoding.hpp"
#include "numerics/reference.hpp"

/// What the encodings mean, one element at a time in int64, for tests to compare with.
namespace adapt::test {

/// The gradients of one tensor, by shard.
using ShardGradients = std::vector<std::vector<float>>;

/// Normal numbers times `deviation`, others for each tensor and shard.
inline ShardGradients random_gradients(std::size_t size, int shards, std::uint32_t tensor, double deviation) {
  ShardGradients gradients;
  for (int shard = 0; shard < shards; ++shard) {
    RandomSequence random({.seed = 3, .tensor = tensor, .shard = static_cast<std::uint32_t>(shard)});
    auto& values = gradients.emplace_back(size);
    for (float& value : values) {
      value = static_cast<float>(deviation * random.normal());
    }
  }
  return gradients;
}

/// Sum over the shards of round-to-nearest-even(x · 2^40).
inline std::vector<std::int64_t> naive_exact_sum(const ShardGradients& gradients) {
  std::vector<std::int64_t> sum(gradients.front().size());
  for (const auto& shard : gradients) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += static_cast<std::int64_t>(std::nearbyint(std::ldexp(static_cast<double>(shard[i]), 40)));
    }
  }
  return sum;
}

/// Sum over the shards of the integers of `format`, rounded with the random numbers that belong to tensor
/// `index`.
inline std::vector<std::int64_t> naive_layer_sum(const ShardGradients& gradients, FixedFormat format,
                                                 std::uint32_t index, const ExchangeStep& step) {
  std::vector<std::int64_t> sum(gradients.front().size());
  for (std::size_t shard = 0; shard < gradients.size(); ++shard) {
    const RandomKey key = {step.seed, Stream::gradients, index, step.step, static_cast<std::uint32_t>(shard)};
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += reference::quantize(gradients[shard][i], format, Rounding::stochastic,
                                    reference::random_piece(key, i));
    }
  }
  return sum;
}

/// sum · 2^-FL / shards, in double, rounded once.
inline std::vector<float> naive_mean(const std::vector<std::int64_t>& sum, int fractional_length,
                                     std::size_t shards) {
  const double scale = std::ldexp(1.0, -fractional_length) / static_cast<double>(shards);
  std::vector<float> mean;
  for (const std::int64_t value : sum) {
    mean.push_back(static_cast<float>(static_cast<double>(value) * scale));
  }
  return mean;
}

/// The mean that an encoding of one rank gives for tensor `index`.
inline std::vector<float> encoded_mean(const GradientEncoding& encoding, std::size_t index,
                                       std::size_t size) {
  std::vector<float> mean(size, -1.0F);
  // In two pieces: how a mean is cut must not matter.
  const std::size_t half = size / 2;
  encoding.mean(index, 0, std::span(mean).first(half));
  encoding.mean(index, half, std::span(mean).subspan(half));
  return mean;
}

/// Adds all shards in order.
inline void add_all(GradientEncoding& encoding, std::size_t index, const ShardGradients& gradients) {
  for (std::size_t shard = 0; shard < gradients.size(); ++shard) {
    encoding.add(index, static_cast<std::uint32_t>(shard), gradients[shard]);
  }
}

}  // namespace adapt::test
