// Text from files on a terminal: nothing in it is obeyed.

#include "base/terminal.hpp"

#include <gtest/gtest.h>

#include "base/log.hpp"

namespace adapt {
namespace {

TEST(Terminal, OrdinaryTextStaysAsItIs) {
  for (const char* text : {"", "conv1/weights ~ 3 %", "\"quoted\" \\ back", "Größe ≤ 5 · 日本 🙂"}) {
    EXPECT_EQ(printable_line(text), text);
    EXPECT_EQ(printable_text(text), text);
  }
}

TEST(Terminal, NothingForgesALine) {
  EXPECT_EQ(printable_line("a\nadapt: error: b\r\tc"), R"(a\nadapt: error: b\r\tc)");
  EXPECT_EQ(printable_line("\xE2\x80\xA8 and \xE2\x80\xA9, \xC2\x85"), R"(\u2028 and \u2029, \u0085)");
}

TEST(Terminal, NothingSteersTheTerminal) {
  EXPECT_EQ(printable_line("\x1b[2J\x1b]0;title\x07"), R"(\u001b[2J\u001b]0;title\u0007)");
  EXPECT_EQ(printable_line("\xC2\x9B\x32J"), R"(\u009b2J)") << "CSI as one character";
  EXPECT_EQ(printable_line(std::string("\0\b\x7f", 3)), R"(\u0000\u0008\u007f)");
}

TEST(Terminal, NothingTurnsOrHidesText) {
  EXPECT_EQ(printable_line("\xE2\x80\xAE"
                           "txt.exe\xE2\x81\xA6\xE2\x81\xA9"),
            R"(\u202etxt.exe\u2066\u2069)");
  EXPECT_EQ(printable_line("a\xE2\x80\x8B"
                           "b\xEF\xBB\xBF"
                           "c\xF3\xA0\x81\x81"),
            R"(a\u200bb\ufeffc\U000e0041)");
}

TEST(Terminal, BytesThatAreNoUtf8) {
  EXPECT_EQ(printable_line("a\xFF"
                           "b\xC3"),
            R"(a\xffb\xc3)");
  EXPECT_EQ(printable_line("\x9B\x32J"), R"(\x9b2J)") << "CSI to a terminal of eight bits";
  EXPECT_EQ(printable_line("\xC0\x8A \xED\xA0\x80 \xF4\x90\x80\x80"),
            R"(\xc0\x8a \xed\xa0\x80 \xf4\x90\x80\x80)")
      << "overlong, surrogate, beyond U+10FFFF";
}

TEST(Terminal, TextKeepsItsLinesAndNothingElse) {
  EXPECT_EQ(printable_text("a: 1\n\tb\x1b[2J\r\n"), "a: 1\n\tb\\u001b[2J\\r\n");
}

TEST(Terminal, TwiceIsAsGoodAsOnce) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  const std::string once = printable_line(all);
  EXPECT_EQ(printable_line(once), once);
  EXPECT_EQ(printable_text(once), once);
}

TEST(Terminal, PrintersGoThroughIt) {
  testing::internal::CaptureStdout();
  print_line("layer\n0 done \x1b[2J");
  print_text("one\ntwo \x1b[2J\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "layer\\n0 done \\u001b[2J\none\ntwo \\u001b[2J\n");
}

TEST(Terminal, LogLinesAreLines) {
  testing::internal::CaptureStderr();
  log_error("cannot read x\nadapt: error: y\x1b[2J");
  log_warning("\xE2\x80\xAE");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "adapt: error: cannot read x\\nadapt: error: y\\u001b[2J\nadapt: warning: \\u202e\n");
}

}  // namespace
}  // namespace adapt
