#include "base/log.hpp"

#include <atomic>
#include <cstdio>

#include "base/terminal.hpp"

namespace adapt {
namespace {

struct LogState {
  int rank = 0;
  LogLevel level = LogLevel::info;
};

LogState& state() {
  static LogState instance;
  return instance;
}

thread_local bool is_another_thread = false;

std::atomic<void (*)()> line_hook = nullptr;

void print(LogLevel level, const char* label, const std::string& message) {
  if (!log_prints(level)) {
    return;
  }
  if (auto* const hook = line_hook.load()) {
    hook();
  }
  const LogState& current = state();
  std::string line = "adapt: ";
  if (current.rank != 0) {
    line += "rank " + std::to_string(current.rank) + ": ";
  }
  line += label + printable_line(message) + "\n";
  // One write per line keeps lines of several ranks whole.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void configure_log(int rank, LogLevel level) { state() = {rank, level}; }

int log_rank() { return state().rank; }

void log_as_another_thread() { is_another_thread = true; }

bool log_prints(LogLevel level) {
  const LogState& current = state();
  const bool is_first = current.rank == 0 && !is_another_thread;
  return level <= current.level && (is_first || level <= LogLevel::warning);
}

void set_log_hook(void (*before_line)()) { line_hook = before_line; }

void log_error(const std::string& message) { print(LogLevel::error, "error: ", message); }
void log_warning(const std::string& message) { print(LogLevel::warning, "warning: ", message); }
void log_info(const std::string& message) { print(LogLevel::info, "", message); }

}  // namespace adapt
