#include "data/procedural.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "data/dataset.hpp"
#include "data/loader.hpp"
#include "fixtures.hpp"

namespace adapt {
namespace {

using test::Bytes;

constexpr std::size_t kPixels = 28 * 28;

DataOptions options_of(std::int64_t train, std::int64_t test) {
  DataOptions options;
  options.train_samples = train;
  options.test_samples = test;
  return options;
}

std::string draw(std::uint64_t seed, std::uint32_t split, std::uint32_t index) {
  Bytes pixels(kPixels);
  draw_digit(seed, split, index, pixels);
  return {pixels.begin(), pixels.end()};
}

TEST(Procedural, ImageIsAFunctionOfSeedSplitAndIndex) {
  const std::set<std::string> images = {draw(1, 0, 0), draw(2, 0, 0), draw(1, 1, 0), draw(1, 0, 1),
                                        draw(1, 0, 10)};
  EXPECT_EQ(images.size(), 5U);
  EXPECT_EQ(draw(1, 0, 0), draw(1, 0, 0));
}

TEST(Procedural, DatasetHoldsTheImagesWhateverItsSize) {
  const DataSplits small = open_dataset(options_of(7, 3), 9);
  const DataSplits large = open_dataset(options_of(4500, 50), 9);  // split over threads
  Bytes expected(kPixels);
  Bytes pixels(kPixels);
  EXPECT_EQ(small.train->size(), 7);
  EXPECT_EQ(large.test->size(), 50);
  for (const std::int64_t index : {0, 6, 2249, 2250, 4499}) {
    const int label = draw_digit(9, 0, static_cast<std::uint32_t>(index), expected);
    EXPECT_EQ(large.train->read(index, pixels), label);
    EXPECT_EQ(pixels, expected);
    if (index < 7) {
      EXPECT_EQ(small.train->read(index, pixels), label);
      EXPECT_EQ(pixels, expected);
    }
  }
  EXPECT_EQ(small.test->read(2, pixels), draw_digit(9, 1, 2, expected));
  EXPECT_EQ(pixels, expected);
}

TEST(Procedural, SameOnEveryMachine) {
  EXPECT_EQ(open_dataset(options_of(1000, 1), 0).train->checksum(), "GOLDEN");
}

TEST(Procedural, EveryTenImagesHoldEachDigitOnce) {
  Bytes pixels(kPixels);
  std::set<std::vector<int>> orders;
  for (std::uint32_t block = 0; block < 20; ++block) {
    std::vector<int> labels;
    for (std::uint32_t i = 0; i < 10; ++i) {
      labels.push_back(draw_digit(4, 0, 10 * block + i, pixels));
    }
    orders.insert(labels);
    std::sort(labels.begin(), labels.end());
    EXPECT_EQ(labels, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_GT(orders.size(), 18U);
}

TEST(Procedural, NormalizationConstantsAreMeasured) {
  const DataSplits splits = open_dataset(options_of(20000, 1), 12);
  double sum = 0;
  double squares = 0;
  Bytes pixels(kPixels);
  for (std::int64_t index = 0; index < splits.train->size(); ++index) {
    splits.train->read(index, pixels);
    for (const std::uint8_t pixel : pixels) {
      sum += pixel / 255.0;
      squares += pixel / 255.0 * (pixel / 255.0);
    }
  }
  const double count = 20000.0 * kPixels;
  EXPECT_NEAR(sum / count, splits.normalization.mean[0], 0.002);
  EXPECT_NEAR(std::sqrt(squares / count - sum / count * (sum / count)), splits.normalization.deviation[0],
              0.002);
}

TEST(Procedural, RefusesBadSizes) {
  test::expect_bad_input([] { open_dataset(options_of(-1, 0), 0); }, {"data.train_samples is -1", "60000"});
  test::expect_bad_input([] { open_dataset(options_of(1, 10'000'001), 0); },
                         {"data.test_samples is 10000001", "1..10000000"});
  Bytes small(10);
  EXPECT_THROW(draw_digit(0, 0, 0, small), Failure);
}

/// Softmax regression on normalized images: the best that a linear classifier can do, nearly.
class SoftmaxRegression {
 public:
  std::array<float, 10> probabilities(const float* image) const {
    std::array<float, 10> scores = bias_;
    for (std::size_t i = 0; i < kPixels; ++i) {
      for (std::size_t c = 0; c < 10; ++c) {
        scores[c] += image[i] * weights_[10 * i + c];
      }
    }
    const float most = *std::max_element(scores.begin(), scores.end());
    float total = 0;
    for (float& score : scores) {
      total += score = std::exp(score - most);
    }
    for (float& score : scores) {
      score /= total;
    }
    return scores;
  }

  void learn(const float* image, int label, float rate) {
    std::array<float, 10> error = probabilities(image);
    error[static_cast<std::size_t>(label)] -= 1;
    for (std::size_t i = 0; i < kPixels; ++i) {
      for (std::size_t c = 0; c < 10; ++c) {
        weights_[10 * i + c] -= rate * image[i] * error[c];
      }
    }
    for (std::size_t c = 0; c < 10; ++c) {
      bias_[c] -= rate * error[c];
    }
  }

  double accuracy(const std::vector<float>& images, const std::vector<std::int32_t>& labels) const {
    int right = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::array<float, 10> scores = probabilities(images.data() + i * kPixels);
      right += std::max_element(scores.begin(), scores.end()) - scores.begin() == labels[i] ? 1 : 0;
    }
    return right / static_cast<double>(labels.size());
  }

 private:
  std::vector<float> weights_ = std::vector<float>(10 * kPixels);
  std::array<float, 10> bias_ = {};
};

TEST(Procedural, ALinearClassifierDoesNotSuffice) {
  constexpr std::size_t kTrain = 10000;
  constexpr std::size_t kTest = 2000;
  const DataSplits splits = open_dataset(options_of(kTrain, kTest), 0);
  std::vector<float> images(kTrain * kPixels);
  std::vector<std::int32_t> labels(kTrain);
  read_images(*splits.train, splits.normalization, 0, images, labels);
  std::vector<float> test_images(kTest * kPixels);
  std::vector<std::int32_t> test_labels(kTest);
  read_images(*splits.test, splits.normalization, 0, test_images, test_labels);
  SoftmaxRegression model;
  double best = 0;
  for (int epoch = 0; epoch < 8; ++epoch) {
    const float rate = 1e-3F / static_cast<float>(1 << epoch / 2);
    for (const std::int64_t index : epoch_order(kTrain, 0, epoch)) {
      const auto i = static_cast<std::size_t>(index);
      model.learn(images.data() + i * kPixels, labels[i], rate);
    }
    best = std::max(best, model.accuracy(test_images, test_labels));
  }
  RecordProperty("accuracy", std::to_string(best));
  EXPECT_LT(best, 0.93);
  EXPECT_GT(best, 0.5);
}

}  // namespace
}  // namespace adapt
