#include "base/option_text.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.hpp"

namespace adapt {
namespace {

std::string refusal(const std::function<void()>& read) {
  try {
    read();
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

TEST(OptionText, Integers) {
  EXPECT_EQ(option_integer("option", "1", 1, 8), 1);
  EXPECT_EQ(option_integer("option", "8", 1, 8), 8);
  for (const char* text : {"0", "9", "", "3x", " 3", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(refusal([text] { option_integer("option", text, 1, 8); }),
              concat("--option: expected an integer from 1 to 8, found '", text, "'"));
  }
}

TEST(OptionText, SeveralIntegers) {
  EXPECT_EQ(option_integers("option", "1", 1, 8), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(option_integers("option", "8,1,8", 1, 8), (std::vector<std::int64_t>{8, 1, 8}));
  EXPECT_EQ(refusal([] { option_integers("option", "3,9", 1, 8); }),
            "--option: expected an integer from 1 to 8, found '9'");
  EXPECT_EQ(refusal([] { option_integers("option", "3,", 1, 8); }),
            "--option: expected an integer from 1 to 8, found ''");
}

TEST(OptionText, PositiveNumbers) {
  EXPECT_EQ(option_positive("option", "0.25", 1), 0.25);
  EXPECT_EQ(option_positive("option", "1", 1), 1);
  for (const char* text : {"0", "-1", "1.01", "nan", "inf", "", "1s"}) {
    EXPECT_EQ(refusal([text] { option_positive("option", text, 1); }),
              concat("--option: expected a number above 0, at most 1, found '", text, "'"));
  }
}

TEST(OptionText, Names) {
  const std::vector<std::string> known = {"lenet5", "resnet20"};
  EXPECT_EQ(option_distinct_names("option", "resnet20,lenet5", known),
            (std::vector<std::string>{"resnet20", "lenet5"}));
  EXPECT_EQ(option_names("option", "lenet5,lenet5", known), (std::vector<std::string>{"lenet5", "lenet5"}));
  EXPECT_EQ(option_name("option", "lenet5", known), "lenet5");
  EXPECT_EQ(refusal([&] { option_distinct_names("option", "lenet5,lenet5", known); }),
            "--option: 'lenet5' stands there twice");
  EXPECT_EQ(refusal([&] { option_names("option", "lenet", known); }),
            "--option: unknown name 'lenet'; did you mean 'lenet5'?");
  EXPECT_EQ(refusal([&] { option_names("option", "lenet5,", known); }),
            "--option: unknown name ''; expected one of lenet5, resnet20");
  EXPECT_EQ(refusal([&] { option_name("option", "lenet5,resnet20", known); }),
            "--option: unknown name 'lenet5,resnet20'; expected one of lenet5, resnet20");
}

}  // namespace
}  // namespace adapt
