// Words that pass through a shell unharmed.

#include "base/shell.hpp"

#include <gtest/gtest.h>

#include "base/process.hpp"

namespace adapt {
namespace {

TEST(Shell, EveryWordComesBackFromAShell) {
  std::string all;
  for (int c = 1; c < 256; ++c) {
    all += static_cast<char>(c);
  }
  for (const std::string& word :
       {std::string("plain/path-1.txt"), std::string(), std::string("it's"), std::string("$HOME `x`"),
        std::string("a b\n#%\\\""), std::string("~"), std::string("*"), all}) {
    EXPECT_EQ(capture({"sh", "-c", "printf %s " + shell_word(word)}).output, word);
    EXPECT_EQ(capture({"sh", "-c", shell_line({"printf", "%s", word})}).output, word);
  }
  EXPECT_EQ(shell_line({"a", "b c", "--x=1"}), "a 'b c' --x=1");
}

TEST(Shell, ControlCharacters) {
  EXPECT_FALSE(has_control_character("a b\xc3\xa9~"));
  for (const char c : {'\0', '\t', '\n', '\r', '\x1b', '\x7f'}) {
    EXPECT_TRUE(has_control_character(std::string("a") + c + "b"));
  }
}

}  // namespace
}  // namespace adapt
