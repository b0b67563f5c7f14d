// Softmax cross entropy against its formula in long double.

#include "nn/kernels/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "numerics/random.hpp"

namespace adapt {
namespace {

constexpr int kImages = 7;
constexpr int kClasses = 5;

struct Batch {
  explicit Batch(double spread) : logits(kImages * kClasses), labels(kImages) {
    RandomSequence random({.seed = 1});
    for (float& logit : logits) {
      logit = static_cast<float>(spread * random.normal());
    }
    for (std::int32_t& label : labels) {
      label = static_cast<std::int32_t>(random.below(kClasses));
    }
  }

  [[nodiscard]] long double probability(int image, int c) const {
    long double sum = 0;
    for (int other = 0; other < kClasses; ++other) {
      sum += std::exp(logit(image, other) - logit(image, c));
    }
    return 1 / sum;
  }
  [[nodiscard]] long double logit(int image, int c) const {
    return logits[static_cast<std::size_t>(image * kClasses + c)];
  }
  [[nodiscard]] long double target(int image, int c, double smoothing) const {
    const bool is_label = labels[static_cast<std::size_t>(image)] == c;
    return (is_label ? 1 - smoothing : 0.0) + smoothing / kClasses;
  }

  std::vector<float> logits;
  std::vector<std::int32_t> labels;
};

TEST(Loss, EqualsTheFormula) {
  for (const double spread : {0.1, 3.0, 30.0}) {
    for (const double smoothing : {0.0, 0.1}) {
      const Batch batch(spread);
      std::vector<float> gradient(batch.logits.size());
      const LossSum found = softmax_cross_entropy(batch.logits, batch.labels, kClasses, gradient, smoothing);
      long double loss = 0;
      for (int image = 0; image < kImages; ++image) {
        for (int c = 0; c < kClasses; ++c) {
          const long double target = batch.target(image, c, smoothing);
          const long double p = batch.probability(image, c);
          loss -= target > 0 ? target * std::log(p) : 0;
          const auto expected = static_cast<double>((p - target) / kImages);
          EXPECT_NEAR(gradient[static_cast<std::size_t>(image * kClasses + c)], expected, 1e-7);
        }
      }
      EXPECT_NEAR(found.loss, static_cast<double>(loss), 1e-5 * static_cast<double>(1 + loss));
    }
  }
}

TEST(Loss, CountsTheFirstOfEqualLogits) {
  const std::vector<float> logits = {1, 1, 0, 0, 2, 2};
  const std::vector<std::int32_t> labels = {0, 2};
  EXPECT_EQ(softmax_cross_entropy(logits, labels, 3, {}).correct, 1);
}

}  // namespace
}  // namespace adapt
