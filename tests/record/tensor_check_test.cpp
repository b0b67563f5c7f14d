#include "record/tensor_check.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace adapt {
namespace {

ModelTensor fixed(FixedFormat format, std::vector<std::int64_t> dims, std::vector<std::int32_t> integers) {
  return {"t", std::move(dims), format, std::move(integers), {}};
}

ModelTensor float32(std::vector<std::int64_t> dims, std::size_t count) {
  return {"t", std::move(dims), std::nullopt, {}, std::vector<float>(count)};
}

TEST(TensorCheck, SoundOnesHaveNoFlaw) {
  EXPECT_EQ(flaw_of(fixed({8, 4}, {2, 2}, {-128, 127, 0, 1})), "");
  EXPECT_EQ(flaw_of(fixed({32, -96}, {1}, {std::numeric_limits<std::int32_t>::min()})), "");
  EXPECT_EQ(flaw_of(fixed({1, 126}, {1}, {-1})), "");
  EXPECT_EQ(flaw_of(float32({3, 2}, 6)), "");
  EXPECT_EQ(flaw_of(float32({}, 1)), "") << "a scalar";
  EXPECT_EQ(flaw_of(float32({3, 0}, 0)), "");
}

TEST(TensorCheck, FormatsThatNobodyComputesWith) {
  for (const FixedFormat format : {FixedFormat{0, 4}, {33, 4}, {-1, 4}, {8, 127}, {8, -97}, {8, 32767}}) {
    const std::string expected = "has format <" + std::to_string(format.word_length) + "," +
                                 std::to_string(format.fractional_length) +
                                 ">, expected a word length of 1..32 and a fractional length of -96..126";
    EXPECT_EQ(flaw_of(fixed(format, {1}, {0})), expected);
    for (auto ModelTensor::*activations :
         {&ModelTensor::inputs, &ModelTensor::outputs, &ModelTensor::operands}) {
      ModelTensor tensor = float32({1}, 1);
      tensor.*activations = format;
      EXPECT_EQ(flaw_of(tensor), expected);
    }
  }
}

TEST(TensorCheck, IntegersBeyondTheFormat) {
  EXPECT_EQ(flaw_of(fixed({8, 4}, {1}, {128})),
            "holds 128, which its format <8,4> does not, expected -128..127");
  EXPECT_EQ(flaw_of(fixed({8, 4}, {1}, {-129})),
            "holds -129, which its format <8,4> does not, expected -128..127");
}

TEST(TensorCheck, ShapesOfOtherSizes) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62U;
  const auto expected = [](int count) {
    return "has " + std::to_string(count) + " elements, expected as many as its shape says";
  };
  EXPECT_EQ(flaw_of(float32({2, 2}, 3)), expected(3));
  EXPECT_EQ(flaw_of(float32({0}, 1)), expected(1));
  EXPECT_EQ(flaw_of(float32({-2, -2}, 4)), expected(4));
  EXPECT_EQ(flaw_of(float32({kHuge, 4}, 0)), expected(0)) << "the product overflows to 0";
  EXPECT_EQ(flaw_of(float32({}, 0)), expected(0));
  ModelTensor both = fixed({8, 4}, {1}, {1});
  both.numbers = {1};
  EXPECT_EQ(flaw_of(both), expected(2)) << "integers and numbers at once";
}

}  // namespace
}  // namespace adapt
