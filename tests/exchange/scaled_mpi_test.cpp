// int8 and int16, several steps long, against the same made element by element without ranks.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "exchange/encoding.hpp"
#include "exchange/naive_encoding.hpp"
#include "numerics/naive_rounding.hpp"
#include "numerics/running_maxima.hpp"
#include "numerics/scale.hpp"
#include "support/world.hpp"

namespace adapt {
namespace {

using test::ShardGradients;

constexpr int kShards = 8;
constexpr int kGridBits = 16;  // of a tensor's grid
std::vector<ExchangeTensor> tensors() { return {{"a", 9000, 0}, {"b", 37, 1}}; }

/// Gradients of one step, by tensor; the second tensor is all zero in the first two steps.
std::vector<ShardGradients> gradients_of(std::uint32_t step) {
  std::vector<ShardGradients> gradients;
  for (std::uint32_t t = 0; t < tensors().size(); ++t) {
    const double deviation = t == 1 && step <= 2 ? 0 : 0.01 * (t + 1) / step;
    gradients.push_back(test::random_gradients(tensors()[t].size, kShards, 10 * step + t, deviation));
  }
  return gradients;
}

/// The meaning of the encodings. All sums go through one bucket, the last tensor first.
class NaiveScaled {
 public:
  NaiveScaled(int bits, bool feedback) : bits_(bits), feedback_(feedback), running_(tensors().size()) {
    for (const ExchangeTensor& tensor : tensors()) {
      residuals_.emplace_back(kShards, std::vector<float>(tensor.size));
    }
  }

  /// The means of a step, by tensor.
  std::vector<std::vector<float>> run(const ExchangeStep& step, std::vector<ShardGradients> gradients) {
    std::vector<std::int64_t> bucket;  // of those that have a scale
    std::vector<std::uint32_t> scaled;
    std::vector<std::vector<float>> means(gradients.size());
    std::vector<int> fractional(gradients.size());
    for (auto t = static_cast<std::uint32_t>(gradients.size()); t-- > 0;) {
      correct(t, gradients[t]);
      if (!running_[t]) {
        means[t] = test::naive_mean(test::naive_exact_sum(gradients[t]), 40, kShards);
        residuals_[t].assign(kShards, std::vector<float>(gradients[t][0].size()));
      } else {
        const FixedFormat format{kGridBits, fitting_fractional_length(kGridBits, *running_[t])};
        fractional[t] = format.fractional_length;
        std::vector<std::int64_t> sum(gradients[t][0].size());
        for (std::uint32_t shard = 0; shard < kShards; ++shard) {
          const auto integers = integers_of(gradients[t][shard], format, t, shard, step);
          std::ranges::transform(sum, integers, sum.begin(), std::plus<>());
          keep(residuals_[t][shard], gradients[t][shard], integers, format);
        }
        bucket.insert(bucket.end(), sum.begin(), sum.end());
        scaled.push_back(t);
      }
      raise_running(t, gradients[t]);
    }
    if (!scaled.empty()) {
      test::naive_round(bucket, bits_, {step.seed, Stream::mean_gradients, scaled.front(), step.step, 0});
    }
    auto from = bucket.begin();
    for (const std::uint32_t t : scaled) {
      const auto to = from + static_cast<std::ptrdiff_t>(gradients[t][0].size());
      means[t] = test::naive_mean({from, to}, fractional[t], kShards);
      from = to;
    }
    return means;
  }

 private:
  void correct(std::uint32_t t, ShardGradients& gradients) const {
    for (std::size_t shard = 0; feedback_ && shard < gradients.size(); ++shard) {
      for (std::size_t i = 0; i < gradients[shard].size(); ++i) {
        gradients[shard][i] += residuals_[t][shard][i];
      }
    }
  }

  /// On the tensor's grid; with fewer bits than that, rounded once more, block by block.
  [[nodiscard]] std::vector<std::int64_t> integers_of(const std::vector<float>& gradient, FixedFormat format,
                                                      std::uint32_t t, std::uint32_t shard,
                                                      const ExchangeStep& step) const {
    const RandomKey key = {step.seed, Stream::gradients, t, step.step, shard};
    std::vector<std::int64_t> integers;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      integers.push_back(
          reference::quantize(gradient[i], format, Rounding::stochastic, reference::random_piece(key, i)));
    }
    if (bits_ < kGridBits) {
      test::naive_round(integers, bits_, {step.seed, Stream::gradient_blocks, t, step.step, shard});
    }
    return integers;
  }

  static void keep(std::vector<float>& residual, const std::vector<float>& corrected,
                   const std::vector<std::int64_t>& integers, FixedFormat format) {
    for (std::size_t i = 0; i < corrected.size(); ++i) {
      residual[i] = corrected[i] - static_cast<float>(integers[i]) * format.step();
    }
  }

  void raise_running(std::uint32_t t, const ShardGradients& gradients) {
    float largest = 0;
    for (const auto& shard : gradients) {
      for (const float value : shard) {
        largest = std::max(largest, std::abs(value));
      }
    }
    running_[t] = next_maximum(running_[t], largest);
  }

  int bits_;
  bool feedback_;
  std::vector<RunningMaximum> running_;
  std::vector<ShardGradients> residuals_;  // by tensor and shard
};

enum class Release { none, while_adding };

/// One step of `encoding` on all ranks; the means.
std::vector<std::vector<float>> run(GradientEncoding& encoding, const ExchangeStep& step,
                                    Release release = Release::none) {
  const auto gradients = gradients_of(step.step);
  encoding.begin(step);
  for (int shard = test::world().rank(); shard < kShards; shard += test::world().size()) {
    for (std::size_t t = gradients.size(); t-- > 0;) {
      encoding.add(t, static_cast<std::uint32_t>(shard), gradients[t][static_cast<std::size_t>(shard)]);
      if (release == Release::while_adding && shard + test::world().size() >= kShards) {
        encoding.release(t, test::world());
        encoding.progress();
      }
    }
  }
  encoding.reduce(test::world());
  std::vector<std::vector<float>> means;
  for (std::size_t t = 0; t < gradients.size(); ++t) {
    means.push_back(test::encoded_mean(encoding, t, tensors()[t].size));
  }
  return means;
}

struct Variant {
  Encoding encoding;
  int bits;
  bool feedback;
};

class Scaled : public testing::TestWithParam<Variant> {
 protected:
  static std::unique_ptr<GradientEncoding> make() {
    return make_encoding(GetParam().encoding, tensors(), kShards, {.error_feedback = GetParam().feedback});
  }
};

TEST_P(Scaled, EqualsTheNaiveMeaningStepByStep) {
  for (const Release release : {Release::none, Release::while_adding}) {
    const auto encoding = make();
    NaiveScaled naive(GetParam().bits, GetParam().feedback);
    for (std::uint32_t s = 1; s <= 6; ++s) {
      const ExchangeStep step = {.seed = 12, .step = s};
      ASSERT_EQ(run(*encoding, step, release), naive.run(step, gradients_of(s))) << "step " << s;
    }
  }
}

TEST_P(Scaled, GoesOnFromItsStateAlike) {
  const auto whole = make();
  for (std::uint32_t s = 1; s <= 3; ++s) {
    run(*whole, {.seed = 12, .step = s});
  }
  whole->collect_state(test::world());
  const std::vector<std::byte> state = whole->save_state();
  const std::string of_rank_0 =
      test::world().broadcast(std::string(reinterpret_cast<const char*>(state.data()), state.size()));
  const auto resumed = make();
  resumed->restore_state(std::as_bytes(std::span(of_rank_0)), test::world());
  for (std::uint32_t s = 4; s <= 6; ++s) {
    ASSERT_EQ(run(*resumed, {.seed = 12, .step = s}), run(*whole, {.seed = 12, .step = s})) << "step " << s;
  }
  EXPECT_THROW(resumed->restore_state(std::as_bytes(std::span(of_rank_0)).subspan(1), test::world()),
               BadInput);
}

TEST_P(Scaled, IsCloseToTheMean) {
  const auto encoding = make();
  run(*encoding, {.seed = 12, .step = 1});
  const auto means = run(*encoding, {.seed = 12, .step = 3});
  const auto exact = test::naive_mean(test::naive_exact_sum(gradients_of(3)[0]), 40, kShards);
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    error += std::pow(means[0][i] - exact[i], 2);
    size += std::pow(exact[i], 2);
  }
  EXPECT_LT(std::sqrt(error / size), GetParam().bits == 8 ? 0.025 : 0.001);
}

INSTANTIATE_TEST_SUITE_P(Encodings, Scaled,
                         testing::Values(Variant{Encoding::int8, 8, false}, Variant{Encoding::int8, 8, true},
                                         Variant{Encoding::int16, 16, false},
                                         Variant{Encoding::int16, 16, true}),
                         [](const auto& variant) {
                           return concat(variant.param.encoding,
                                         variant.param.feedback ? "WithFeedback" : "");
                         });

TEST(ScaledBytes, AreAFractionOfFloat32s) {
  if (test::world().size() == 1) {
    EXPECT_EQ(mpi::allreduce_bytes(test::world(), 4000), 0);
    return;
  }
  constexpr std::size_t kSize = 200000;
  const auto float32 = mpi::allreduce_bytes(test::world(), 4 * kSize);
  const auto encoding = make_encoding(Encoding::int8, {{"w", kSize, 0}}, kShards);
  for (std::uint32_t step = 1; step <= 2; ++step) {
    encoding->begin({.seed = 1, .step = step});
    for (int shard = test::world().rank(); shard < kShards; shard += test::world().size()) {
      const auto gradient = test::random_gradients(kSize, 1, static_cast<std::uint32_t>(shard), 0.1)[0];
      encoding->add(0, static_cast<std::uint32_t>(shard), gradient);
    }
    encoding->reduce(test::world());
  }
  EXPECT_LT(static_cast<double>(encoding->bytes()) / static_cast<double>(float32), 0.30);
  EXPECT_GT(encoding->bytes(), 0);
}

/// By how much the sum of many means misses a gradient far below a unit of its tensor's scale.
double long_run_error(bool feedback) {
  const auto encoding = make_encoding(Encoding::int8, {{"w", 300, 0}}, kShards, {.error_feedback = feedback});
  std::vector<float> gradient(300);
  gradient[0] = 1.0F;  // sets the scale; in another block, whose sums are rounded
  gradient[299] = 0.0000015F;
  constexpr std::uint32_t kSteps = 400;
  double sum = 0;
  for (std::uint32_t step = 1; step <= kSteps; ++step) {
    encoding->begin({.seed = 1, .step = step});
    for (int shard = test::world().rank(); shard < kShards; shard += test::world().size()) {
      encoding->add(0, static_cast<std::uint32_t>(shard), gradient);
    }
    encoding->reduce(test::world());
    sum += test::encoded_mean(*encoding, 0, 300)[299];
  }
  return std::abs(sum - kSteps * 0.0000015);
}

TEST(ErrorFeedbackInTheLongRun, KeepsWhatRoundingTakes) {
  const double with = long_run_error(true);
  EXPECT_LT(with, 0.000031) << "half a unit, 2^-15: what the residuals still hold";
  EXPECT_GT(long_run_error(false), with);
}

}  // namespace
}  // namespace adapt
