#include "base/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"

namespace adapt {
namespace {

/// A temporary file that collects what is printed.
class Collected {
 public:
  Collected() : file_(std::tmpfile()) {}
  ~Collected() { std::fclose(file_); }
  Collected(const Collected&) = delete;
  Collected& operator=(const Collected&) = delete;

  [[nodiscard]] std::FILE* file() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::string text;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      text += static_cast<char>(c);
    }
    return text;
  }

 private:
  std::FILE* file_;
};

/// A pseudo-terminal; what is printed to file() can be read back.
class Terminal {
 public:
  explicit Terminal(unsigned short width) : outside_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (outside_ < 0 || ::grantpt(outside_) != 0 || ::unlockpt(outside_) != 0) {
      throw std::runtime_error("no pseudo-terminal to be had: is /dev/pts mounted?");
    }
    inside_ = std::fopen(::ptsname(outside_), "w");
    if (inside_ == nullptr) {
      throw std::runtime_error("cannot open the pseudo-terminal: is /dev/pts mounted?");
    }
    const winsize size = {24, width, 0, 0};
    ::ioctl(outside_, TIOCSWINSZ, &size);
    ::setenv("TERM", "xterm", 1);
  }
  ~Terminal() {
    std::fclose(inside_);
    ::close(outside_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] std::FILE* file() const { return inside_; }
  /// What was printed since the last call. Output takes a while through the kernel, so a mark is sent after
  /// it.
  [[nodiscard]] std::string text() const {
    constexpr char kMark = '\x01';
    std::fputc(kMark, inside_);
    std::fflush(inside_);
    std::string text;
    char c = 0;
    while (::read(outside_, &c, 1) == 1 && c != kMark) {
      text += c;
    }
    return text;
  }

 private:
  int outside_;
  std::FILE* inside_;
};

class ProgressTest : public testing::Test {
 protected:
  void TearDown() override { configure_log(0, LogLevel::info); }
  ProgressOutput to(std::FILE* file) {
    return {file, [this] { return now_; }};
  }
  double now_ = 100;
};

/// Skipped where there is no pseudo-terminal, as in a chroot or container without /dev/pts.
class ProgressOnTerminalTest : public ProgressTest {
 protected:
  void SetUp() override {
    try {
      const Terminal trial(80);
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
  }
};

const std::string kClear = "\r\033[K";

TEST_F(ProgressTest, PrintsALineForEachTenthInALog) {
  const Collected log;
  Progress progress("train", 1000, "images", 0, to(log.file()));
  for (int done = 0; done <= 1000; done += 10) {
    progress.update(done, "loss 0.5");
    now_ += 0.2;
  }
  progress.finish("accuracy 99 %");
  const std::string text = log.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_TRUE(text.starts_with("adapt: train 10 % loss 0.5, 50 images/s, 0:18 left\nadapt: train 20 %"))
      << text;
  EXPECT_TRUE(
      text.ends_with("\nadapt: train 100 % loss 0.5, 50 images/s\nadapt: train: accuracy 99 %, 50 images/s, "
                     "0:20\n"))
      << text;
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST_F(ProgressTest, PrintsAtMostOneLineASecond) {
  const Collected log;
  Progress progress("train", 100, "", 0, to(log.file()));
  for (int done = 1; done <= 100; ++done) {
    now_ += 0.015;
    progress.update(done, "");
  }
  EXPECT_EQ(log.text(), "adapt: train 67 % 0:00 left\n") << "all in 1.5 seconds";
}

TEST_F(ProgressTest, NamesSteerNoTerminal) {
  const Collected log;
  Progress progress("a\nadapt: error: b\x1b[2J", 100, "", 0, to(log.file()));
  progress.finish("c\nd\x1b[2J");
  EXPECT_EQ(log.text(), "adapt: a\\nadapt: error: b\\u001b[2J: c\\nd\\u001b[2J, 0:00\n");
}

TEST_F(ProgressTest, BreaksALongSilence) {
  const Collected log;
  Progress progress("train", 1000000, "", 0, to(log.file()));
  for (int second = 0; second < 100; ++second) {
    now_ += 1;
    progress.update(second, "still here");
  }
  const std::string text = log.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
}

TEST_F(ProgressTest, ResumedWorkCountsForThePercentageAndNotForTheRate) {
  const Collected log;
  Progress progress("train", 1000, "images", 500, to(log.file()));
  now_ += 10;
  progress.update(600, "x");
  EXPECT_EQ(log.text(), "adapt: train 60 % x, 10 images/s, 0:40 left\n");
}

TEST_F(ProgressTest, OnlyRankZeroAndOnlyWhenInfoIsWanted) {
  for (const auto& [rank, level] : {std::pair{1, LogLevel::info}, std::pair{0, LogLevel::warning}}) {
    configure_log(rank, level);
    const Collected log;
    Progress progress("train", 10, "", 0, to(log.file()));
    now_ += 100;
    progress.update(5, "");
    progress.finish("");
    EXPECT_EQ(log.text(), "");
  }
}

TEST_F(ProgressOnTerminalTest, DrawsABarAsWideAsTheTerminal) {
  const Terminal terminal(60);
  Progress progress("train", 200, "images", 0, to(terminal.file()));
  now_ += 2;
  progress.update(100, "loss 0.5");
  const std::string text = terminal.text();
  EXPECT_EQ(text, kClear + "train [======>      ] 50 % loss 0.5, 50 images/s, 0:02 left");
  EXPECT_EQ(text.size() - kClear.size(), 59U) << "the last column stays free";
}

TEST_F(ProgressOnTerminalTest, LeavesOutTheBarAndCutsTheTextOnANarrowTerminal) {
  const Terminal terminal(12);
  Progress progress("tr\xc3\xa4in", 200, "", 0, to(terminal.file()));
  progress.update(100, "loss 0.5");
  EXPECT_EQ(terminal.text(), kClear + "tr\xc3\xa4in 50 % ") << "eleven characters";
}

TEST_F(ProgressOnTerminalTest, RedrawsAtMostTenTimesASecond) {
  const Terminal terminal(80);
  Progress progress("train", 1000, "", 0, to(terminal.file()));
  int drawn = 0;
  for (int i = 0; i < 1000; ++i) {
    progress.update(i, "");
    drawn += terminal.text().empty() ? 0 : 1;
    now_ += 0.001;
  }
  EXPECT_GE(drawn, 9);
  EXPECT_LE(drawn, 11);
}

TEST_F(ProgressOnTerminalTest, FinishClearsTheBarAndPrintsALine) {
  const Terminal terminal(80);
  Progress progress("train", 10, "", 0, to(terminal.file()));
  progress.update(1, "");
  (void)terminal.text();
  now_ += 61;
  progress.finish("done");
  EXPECT_EQ(terminal.text(), kClear + "adapt: train: done, 1:01\r\n");
}

TEST_F(ProgressOnTerminalTest, AnExceptionLeavesACleanLine) {
  const Terminal terminal(80);
  {
    Progress progress("train", 10, "", 0, to(terminal.file()));
    progress.update(1, "");
    (void)terminal.text();
  }
  EXPECT_EQ(terminal.text(), kClear);
  log_info("after the bar is gone nothing is cleared");
  EXPECT_EQ(terminal.text(), "");
}

TEST_F(ProgressOnTerminalTest, LogLinesClearTheBarOnceAndTheNextUpdateDrawsIt) {
  const Terminal terminal(80);
  Progress progress("train", 10, "", 0, to(terminal.file()));
  progress.update(1, "");
  (void)terminal.text();
  log_info("a line in between");
  EXPECT_EQ(terminal.text(), kClear);
  log_info("another");
  EXPECT_EQ(terminal.text(), "");
  now_ += 1;
  progress.update(2, "");
  EXPECT_TRUE(terminal.text().starts_with(kClear + "train ["));
}

TEST_F(ProgressOnTerminalTest, ADumbTerminalGetsLines) {
  const Terminal terminal(80);
  ::setenv("TERM", "dumb", 1);
  Progress progress("train", 10, "", 0, to(terminal.file()));
  now_ += 10;
  progress.update(10, "x");
  EXPECT_EQ(terminal.text(), "adapt: train 100 % x\r\n");
}

TEST_F(ProgressTest, IsToldOfATerminalBehindAPipe) {
  const Collected pipe;
  ::setenv("TERM", "xterm", 1);
  ::setenv("ADAPT_PROGRESS", "bar", 1);
  ::setenv("COLUMNS", "31", 1);
  {
    Progress progress("train", 10, "", 0, to(pipe.file()));
    progress.update(5, "x");
  }
  ::unsetenv("ADAPT_PROGRESS");
  ::unsetenv("COLUMNS");
  EXPECT_EQ(pipe.text(), kClear + "train [=======>       ] 50 % x" + kClear);
}

TEST_F(ProgressTest, WithoutATotalThereIsNoPercentage) {
  const Collected log;
  Progress progress("read", 0, "files", 0, to(log.file()));
  now_ += 30;
  progress.update(60, "x");
  EXPECT_EQ(log.text(), "adapt: read x, 2 files/s\n");
}

TEST(FormatDuration, ReadsLikeAClock) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(-1), "0:00");
  EXPECT_EQ(format_duration(7.4), "0:07");
  EXPECT_EQ(format_duration(59.5), "1:00");
  EXPECT_EQ(format_duration(754), "12:34");
  EXPECT_EQ(format_duration(3723), "1:02:03");
}

}  // namespace
}  // namespace adapt
