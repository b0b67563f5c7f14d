#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace adapt {

/// Where progress goes and what time it is; tests give their own.
struct ProgressOutput {
  std::FILE* stream = stderr;
  std::function<double()> seconds;  ///< monotonic clock; empty: the system's
};

/// Shows how far a long piece of work has come, on processes that print LogLevel::info (rank 0).
///  - On a terminal: one line that is redrawn at most ten times a second, as wide as the terminal:
///    "train [=====>    ] 52 % epoch 2/3 loss 0.412, 12300 images/s, 0:41 left". Log lines clear it first.
///    ADAPT_PROGRESS=bar says that a terminal, COLUMNS wide, lies behind a pipe, as under mpirun.
///  - Elsewhere (a file, a pipe, TERM=dumb): plain lines "adapt: train 50 % ...", one whenever another tenth
///    is done, but not within a second of the last one, and one after 30 seconds without.
/// finish() clears the bar and prints a last line with the total time. Without finish() (an exception) the
/// bar is cleared and nothing is printed. One object at a time; all calls from one thread.
class Progress {
 public:
  /// `total` pieces of work called `unit` ("images"; empty: no rate is shown), of which `already_done` were
  /// done by an earlier run. A total of 0 or less shows no percentage.
  Progress(const std::string& label, std::int64_t total, const std::string& unit = "",
           std::int64_t already_done = 0, const ProgressOutput& output = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` pieces are done, those of the earlier run included. `note`: "epoch 2/3 loss 0.412".
  void update(std::int64_t done, const std::string& note);
  /// The work is over: clears the bar and prints "adapt: <label>: <note>, <rate>, 1:23".
  void finish(const std::string& note);

 private:
  [[nodiscard]] int percent() const;
  [[nodiscard]] std::string rate(double elapsed) const;
  [[nodiscard]] std::string time_left(double elapsed) const;
  void draw_bar(const std::string& note, double elapsed);
  void print_line(const std::string& text);

  std::string label_;
  std::int64_t total_;
  std::string unit_;
  std::int64_t already_done_;
  std::int64_t done_;
  ProgressOutput output_;
  bool visible_ = false;   ///< this process prints at all
  bool terminal_ = false;  ///< a bar rather than lines
  double start_ = 0;
  double last_shown_;  ///< seconds since the start
  int last_tenth_;
};

/// "0:07", "12:34", "1:02:03": seconds as people read them, rounded to whole seconds.
std::string format_duration(double seconds);

}  // namespace adapt
