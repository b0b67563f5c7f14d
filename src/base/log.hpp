#pragma once

#include <array>
#include <string>

#include "base/names.hpp"

namespace adapt {

/// How much is printed to standard error.
enum class LogLevel { error = 0, warning = 1, info = 2 };
template <>
inline constexpr auto kNames<LogLevel> = std::array{
    Named{"error", LogLevel::error}, Named{"warning", LogLevel::warning}, Named{"info", LogLevel::info}};

/// This process's rank and the level, for all later lines. Ranks other than 0 print warnings and errors only.
void configure_log(int rank, LogLevel level);

/// The rank that was given to configure_log; 0 before.
int log_rank();

/// From now on the calling thread, one of several that do the same, prints warnings and errors only.
void log_as_another_thread();

/// Whether the calling thread prints lines of this level.
bool log_prints(LogLevel level);

/// `before_line` is called before each printed line, from the thread that prints it: a progress bar clears
/// itself there. Null: nothing is called.
void set_log_hook(void (*before_line)());

/// One line "adapt: message", with "rank N: " for ranks other than 0; printable_line() of whatever the
/// message holds.
void log_error(const std::string& message);
void log_warning(const std::string& message);
void log_info(const std::string& message);

}  // namespace adapt
