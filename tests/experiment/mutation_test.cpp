// Random damage to a valid experiment file: either it is still valid, or one line says what is wrong.

#include <gtest/gtest.h>

#include <random>

#include "experiment/known.hpp"

namespace adapt {
namespace {

/// Changes `text` in one random way: a byte, a cut, a repeated piece, or a piece of YAML syntax.
void damage(std::string& text, std::mt19937& random) {
  static const std::vector<std::string> kPieces = {
      "[", "]",  "{",   "}",  ":",   "- ", "? ",       "&a ",   "*a",    "!!int ",
      "'", "\"", "|",   ">",  "#",   "\t", "\n",       "---\n", "...\n", "%YAML 1.2\n",
      "~", "<<", "1e9", "-1", "yes", "@",  "\xc3\xbc", "  "};
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::size_t at = below(text.size() + 1);
  switch (random() % 5) {
    case 0:
      text.insert(at, 1, static_cast<char>(random() % 256));
      break;
    case 1:
      text.erase(at, below(20));
      break;
    case 2:
      text.insert(at, text.substr(below(text.size()), below(200)));
      break;
    default:
      text.insert(at, kPieces[below(kPieces.size())]);
  }
}

TEST(Mutation, NeverCrashesAndAlwaysSaysWhereInOneLine) {
  const std::string valid = resolved_yaml(Configuration());
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text = valid;
    for (unsigned i = 0; i <= random() % 4; ++i) {
      damage(text, random);
    }
    const std::string message = test::refusal(text);
    refused += message != "accepted" ? 1 : 0;
    const bool good = message == "accepted" || message.starts_with("a.yaml");
    ASSERT_TRUE(good && message.find('\n') == std::string::npos) << message << "\n" << text;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 5000) << "a change in a comment or a value can be harmless";
}

TEST(Mutation, OverridesNeverCrash) {
  std::mt19937 random(2);
  for (int round = 0; round < 5000; ++round) {
    std::string text = "training.schedule.milestones=[1, 2, 3]";
    for (unsigned i = 0; i <= random() % 4; ++i) {
      damage(text, random);
    }
    const std::string message = test::refusal("{}", {text});
    const bool good = message == "accepted" || message.starts_with("--set ");
    ASSERT_TRUE(good && message.find('\n') == std::string::npos) << message << "\n" << text;
  }
}

TEST(Mutation, LargeAndDeepTextsEndSoon) {
  const std::size_t size = 1U << 20U;
  std::vector<std::string> texts;
  for (const char c : std::string("[{:!&*\"'\n ,-?a#%@|>~")) {
    texts.emplace_back(size, c);
  }
  for (const std::string piece : {"- ", "? ", "a: ", "---\n", "{a: ", "[a, "}) {
    std::string text;
    while (text.size() < size) {
      text += piece;
    }
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    const std::string message = test::refusal(text);
    EXPECT_TRUE(message.starts_with("a.yaml")) << message << " for " << text.substr(0, 4);
    EXPECT_LT(message.size(), 300U);
  }
}

}  // namespace
}  // namespace adapt
