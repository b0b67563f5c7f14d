// Texts as long as a file may be, of one piece again and again. tests/fuzz/experiment_fuzz.cpp has the random
// ones.

#include <gtest/gtest.h>

#include "experiment/known.hpp"

namespace adapt {
namespace {

TEST(LargeText, EndsSoonInOneLine) {
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
