#include "base/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/terminal.hpp"

namespace adapt {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kLineSeconds = 1;
constexpr double kSilentSeconds = 30;
constexpr std::size_t kNarrowestBar = 10;
constexpr std::size_t kWidestBar = 40;
constexpr double kLongestSeconds = 360000;  // 100 hours: beyond, an estimate says nothing
constexpr const char* kClearLine = "\r\033[K";

/// The stream on which a bar stands at the moment. Other threads clear it when they log.
struct Shown {
  std::mutex mutex;
  std::FILE* stream = nullptr;
};

Shown& shown() {
  static Shown instance;
  return instance;
}

void write(std::FILE* stream, const std::string& text) {
  // One write per line keeps lines of several ranks whole.
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

void clear_bar() {
  const std::lock_guard lock(shown().mutex);
  if (shown().stream != nullptr) {
    write(shown().stream, kClearLine);
    shown().stream = nullptr;
  }
}

double system_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_terminal(std::FILE* stream) {
  const char* terminal = std::getenv("TERM");
  const char* told = std::getenv("ADAPT_PROGRESS");
  const bool behind_a_pipe = told != nullptr && std::string(told) == "bar";
  return (behind_a_pipe || ::isatty(::fileno(stream)) == 1) && terminal != nullptr &&
         std::string(terminal) != "dumb";
}

std::size_t terminal_width(std::FILE* stream) {
  constexpr int kUsual = 80;
  constexpr int kWidest = 1000;
  winsize size = {};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  const char* told = std::getenv("COLUMNS");
  const int columns = told != nullptr ? std::atoi(told) : 0;
  return static_cast<std::size_t>(columns > 0 && columns <= kWidest ? columns : kUsual);
}

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

/// Characters of UTF-8 text.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

/// The first `count` characters of UTF-8 text.
std::string first_columns(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    seen += starts_character(text[end]) ? 1 : 0;
    if (seen > count) {
      break;
    }
  }
  return text.substr(0, end);
}

/// "[===>    ] ", with brackets and the space `width` + 1 characters wide.
std::string bar_of(int percent, std::size_t width) {
  const std::size_t inside = width - 2;
  const std::size_t filled = inside * static_cast<std::size_t>(percent) / 100;
  std::string bar(inside, ' ');
  std::fill_n(bar.begin(), filled, '=');
  if (filled < inside) {
    bar[filled] = '>';
  }
  return concat("[", bar, "] ");
}

/// Those that are not empty, with commas between.
std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() || part.empty() ? "" : ", ") + part;
  }
  return text;
}

}  // namespace

Progress::Progress(const std::string& label, std::int64_t total, const std::string& unit,
                   std::int64_t already_done, const ProgressOutput& output)
    : label_(printable_line(label)),
      total_(total),
      unit_(unit),
      already_done_(already_done),
      done_(already_done),
      output_(output),
      visible_(log_prints(LogLevel::info)),
      terminal_(visible_ && is_terminal(output.stream)),
      last_shown_(terminal_ ? -kRedrawSeconds : 0),
      last_tenth_(percent() / 10) {
  if (!output_.seconds) {
    output_.seconds = system_seconds;
  }
  start_ = output_.seconds();
  if (terminal_) {
    set_log_hook(clear_bar);
  }
}

Progress::~Progress() {
  if (terminal_) {
    clear_bar();
    set_log_hook(nullptr);
  }
}

int Progress::percent() const {
  if (total_ <= 0) {
    return 0;
  }
  const double share = static_cast<double>(done_) / static_cast<double>(total_);
  return static_cast<int>(std::clamp(share, 0.0, 1.0) * 100);
}

std::string Progress::rate(double elapsed) const {
  if (unit_.empty() || elapsed <= 0 || done_ <= already_done_) {
    return "";
  }
  const double value = static_cast<double>(done_ - already_done_) / elapsed;
  return concat(value < 10 ? std::round(value * 10) / 10 : std::round(value), " ", unit_, "/s");
}

std::string Progress::time_left(double elapsed) const {
  if (elapsed <= 0 || done_ <= already_done_ || done_ >= total_) {
    return "";
  }
  const double left =
      elapsed / static_cast<double>(done_ - already_done_) * static_cast<double>(total_ - done_);
  return left < kLongestSeconds ? format_duration(left) + " left" : "";
}

void Progress::draw_bar(const std::string& note, double elapsed) {
  const std::size_t width = terminal_width(output_.stream) - 1;  // the last column may wrap
  const std::string before = label_ + " ";
  const std::string share = total_ > 0 ? concat(percent(), " % ") : "";
  std::string after = share + join({note, rate(elapsed), time_left(elapsed)});
  const auto room_for_bar = [&] {
    const std::size_t text = columns(before) + columns(after) + 1;
    return total_ > 0 && text + kNarrowestBar <= width ? std::min(width - text, kWidestBar) : 0;
  };
  if (room_for_bar() == 0) {
    after = share + join({note, time_left(elapsed)});  // rather a bar than a rate
  }
  const std::string bar = room_for_bar() > 0 ? bar_of(percent(), room_for_bar()) : "";
  const std::lock_guard lock(shown().mutex);
  write(output_.stream, kClearLine + first_columns(printable_line(before + bar + after), width));
  shown().stream = output_.stream;
}

void Progress::print_line(const std::string& text) {
  write(output_.stream, "adapt: " + printable_line(text) + "\n");
}

void Progress::update(std::int64_t done, const std::string& note) {
  done_ = done;
  if (!visible_) {
    return;
  }
  const double elapsed = output_.seconds() - start_;
  const double silent = elapsed - last_shown_;
  const int tenth = percent() / 10;
  const bool line_due = (tenth > last_tenth_ && silent >= kLineSeconds) || silent >= kSilentSeconds;
  if (terminal_ ? silent < kRedrawSeconds : !line_due) {
    return;
  }
  if (terminal_) {
    draw_bar(note, elapsed);
  } else {
    const std::string share = total_ > 0 ? concat(" ", percent(), " % ") : " ";
    print_line(label_ + share + join({note, rate(elapsed), time_left(elapsed)}));
  }
  last_shown_ = elapsed;
  last_tenth_ = tenth;
}

void Progress::finish(const std::string& note) {
  if (!visible_) {
    return;
  }
  clear_bar();
  const double elapsed = output_.seconds() - start_;
  print_line(label_ + ": " + join({note, rate(elapsed), format_duration(elapsed)}));
}

std::string format_duration(double seconds) {
  const std::int64_t whole = std::llround(std::max(seconds, 0.0));
  const auto two_digits = [](std::int64_t value) { return concat(value < 10 ? "0" : "", value); };
  const std::string tail = two_digits(whole % 60);
  if (whole < 3600) {
    return concat(whole / 60, ":", tail);
  }
  return concat(whole / 3600, ":", two_digits(whole / 60 % 60), ":", tail);
}

}  // namespace adapt
