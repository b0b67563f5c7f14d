#include "exchange/encoding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "exchange/naive_encoding.hpp"

namespace adapt {
namespace {

/// Adds `value` among zeros as shard 6 of step 41 and returns what the encoding says to that.
std::string refusal(Encoding chosen, float value) {
  PrecisionPlan plan;
  plan.layers.push_back({.weights = {}, .inputs = {}, .outputs = {}, .gradients = FixedFormat{8, 4}});
  const auto encoding = make_encoding(chosen, {{"fc1.weight", 3, 0}, {"conv2.weight", 100, 0}}, 8);
  encoding->begin({.seed = 1, .step = 41, .plan = &plan});
  std::vector<float> gradient(100);
  gradient[97] = value;
  try {
    encoding->add(1, 6, gradient);
  } catch (const Failure& error) {
    return error.what();
  }
  return "";
}

void expect_names_place(const std::string& message) {
  for (const char* part : {"conv2.weight", "step 41", "shard 6", "learning_rate"}) {
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  }
}

TEST(Encoding, NanAndInfinityNameTensorStepAndShard) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const EncodingEntry& entry : kNames<Encoding>) {
    for (const float value : {std::nanf(""), kInfinity, -kInfinity}) {
      SCOPED_TRACE(concat(entry.name, " ", value));
      expect_names_place(refusal(entry.value, value));
    }
    EXPECT_EQ(refusal(entry.value, 1000.0F), "") << entry.name;
  }
}

TEST(Encoding, ExactRefusesWhatEightShardsCouldOverflow) {
  expect_names_place(refusal(Encoding::exact, std::ldexp(1.0F, 19)));
  expect_names_place(refusal(Encoding::exact, -3e38F));
  EXPECT_EQ(refusal(Encoding::exact, std::nextafter(std::ldexp(1.0F, 19), 0.0F)), "");
}

TEST(Encoding, LayerClampsWhatIsTooLarge) { EXPECT_EQ(refusal(Encoding::layer, 3e38F), ""); }

TEST(Encoding, Float32RefusesASumThatOverflows) {
  const auto encoding = make_encoding(Encoding::float32, {{"conv2.weight", 1, 0}}, 8);
  encoding->begin({.step = 41});
  encoding->add(0, 5, std::vector<float>{3e38F});
  try {
    encoding->add(0, 6, std::vector<float>{3e38F});
    FAIL() << "expected Failure";
  } catch (const Failure& error) {
    expect_names_place(error.what());
  }
}

TEST(Encoding, Float32IsThePlainMean) {
  const auto encoding = make_encoding(Encoding::float32, {{"a", 2, 0}, {"b", 1, -1}}, 2);
  for (std::uint32_t step = 1; step <= 2; ++step) {
    encoding->begin({.step = step});
    test::add_all(*encoding, 0, {{1.0F, 0.1F}, {0.5F, 0.2F}});
    test::add_all(*encoding, 1, {{-4.0F}, {1.0F}});
    EXPECT_EQ(test::encoded_mean(*encoding, 0, 2), (std::vector<float>{0.75F, (0.1F + 0.2F) / 2}));
    EXPECT_EQ(test::encoded_mean(*encoding, 1, 1), (std::vector<float>{-1.5F}));
  }
}

TEST(Encoding, ErrorFeedbackBelongsToScaledIntegers) {
  for (const Encoding other : {Encoding::exact, Encoding::layer, Encoding::float32}) {
    EXPECT_THROW(make_encoding(other, {}, 8, {.error_feedback = true}), BadInput) << other;
  }
  EXPECT_NE(make_encoding(Encoding::int8, {{"a", 4, 0}}, 8, {.error_feedback = true}), nullptr);
  // A quarter of the limit for each of four shards, and one number more.
  const std::size_t most = (std::size_t{1} << 30U) / 4 / sizeof(float);
  EXPECT_THROW(make_encoding(Encoding::int16, {{"a", most, 0}, {"b", 1, 0}}, 4, {.error_feedback = true}),
               BadInput);
}

}  // namespace
}  // namespace adapt
