#include "bench/arguments.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"

namespace adapt {
namespace {

BenchArguments with(const std::string& value) { return BenchArguments({{"option", value}}); }

std::string refusal(const std::function<void()>& read) {
  try {
    read();
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

TEST(BenchArguments, Integers) {
  EXPECT_EQ(with("1").integer("option", 1, 8), 1);
  EXPECT_EQ(with("8").integer("option", 1, 8), 8);
  for (const char* text : {"0", "9", "", "3x", " 3", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(refusal([text] { (void)with(text).integer("option", 1, 8); }),
              concat("--option: expected an integer from 1 to 8, found '", text, "'"));
  }
}

TEST(BenchArguments, SeveralIntegers) {
  EXPECT_EQ(with("1").integers("option", 1, 8), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(with("8,1,8").integers("option", 1, 8), (std::vector<std::int64_t>{8, 1, 8}));
  EXPECT_EQ(refusal([] { (void)with("3,9").integers("option", 1, 8); }),
            "--option: expected an integer from 1 to 8, found '9'");
  EXPECT_EQ(refusal([] { (void)with("3,").integers("option", 1, 8); }),
            "--option: expected an integer from 1 to 8, found ''");
}

TEST(BenchArguments, PositiveNumbers) {
  EXPECT_EQ(with("0.25").positive("option", 1), 0.25);
  EXPECT_EQ(with("1").positive("option", 1), 1);
  for (const char* text : {"0", "-1", "1.01", "nan", "inf", "", "1s"}) {
    EXPECT_EQ(refusal([text] { (void)with(text).positive("option", 1); }),
              concat("--option: expected a number above 0, at most 1, found '", text, "'"));
  }
}

TEST(BenchArguments, Names) {
  const std::vector<std::string> known = {"lenet5", "resnet20"};
  EXPECT_EQ(with("lenet5").names("option", known), (std::vector<std::string>{"lenet5"}));
  EXPECT_EQ(with("resnet20,lenet5").names("option", known), (std::vector<std::string>{"resnet20", "lenet5"}));
  EXPECT_EQ(with("lenet5,lenet5").list("option", known), (std::vector<std::string>{"lenet5", "lenet5"}));
  EXPECT_EQ(refusal([&] { (void)with("lenet5,lenet5").names("option", known); }),
            "--option: 'lenet5' stands there twice");
  EXPECT_EQ(refusal([&] { (void)with("lenet").names("option", known); }),
            "--option: unknown name 'lenet'; did you mean 'lenet5'?");
  EXPECT_EQ(refusal([&] { (void)with("lenet5,").names("option", known); }),
            "--option: unknown name ''; expected one of lenet5, resnet20");
}

TEST(BenchArguments, AnOptionThatTheBenchmarkDoesNotHaveIsOurMistake) {
  EXPECT_THROW((void)with("1").integer("other", 1, 8), Failure);
}

TEST(BenchArguments, Timing) {
  const TimingOptions timing = BenchArguments({{"repeats", "3"}, {"seconds", "0.5"}}).timing();
  EXPECT_EQ(timing.repeats, 3);
  EXPECT_EQ(timing.seconds, 0.5);
  const auto options = with_timing_options({{"model", "lenet5", "which"}}, "0.5");
  ASSERT_EQ(options.size(), 3U);
  EXPECT_EQ(options[0].name, "model");
  EXPECT_EQ(options[1].name, "repeats");
  EXPECT_EQ(options[2].standard, "0.5");
}

}  // namespace
}  // namespace adapt
