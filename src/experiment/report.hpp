#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/names.hpp"

namespace adapt {

template <>
inline constexpr auto kNames<Cause> =
    std::array{Named{"task", Cause::task}, Named{"machine", Cause::machine}, Named{"memory", Cause::memory},
               Named{"numbers", Cause::numbers}};

// What a training tells the sweep that started it, in a file between the two: launchers have exit codes of
// their own, and words of their own, so that neither says what became of the experiment. Without a report the
// program never began, whatever the exit code; a report without a failure means that something else ended it.

/// A training's own word on why it failed.
struct ReportedFailure {
  int exit_code = 0;
  std::string message;  ///< one line
  Cause cause = Cause::task;
};

struct Report {
  bool begun = false;  ///< MPI works and the ranks have found each other
  std::optional<ReportedFailure> failure;
};

/// Writes that the training began. Throws MachineFailure where nothing can be written.
void report_begin(const std::filesystem::path& path);

/// Writes that it failed by itself. Throws MachineFailure.
void report_failure(const std::filesystem::path& path, const ReportedFailure& failure);

/// Removes what an earlier training wrote. Throws MachineFailure.
void clear_report(const std::filesystem::path& path);

/// What the file says; no file, or half a one: nothing has begun.
Report read_report(const std::filesystem::path& path);

}  // namespace adapt
