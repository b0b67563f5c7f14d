#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/job_environment.hpp"

namespace adapt {

/// A process that is told apart from a later one with the same number.
struct ProcessId {
  pid_t number = 0;
  std::string start;  ///< clock ticks from the boot of the machine to its start; empty: none such

  bool operator==(const ProcessId&) const = default;
};

/// The process with this number; its start is empty where there is none, or only a dead one that nobody has
/// waited for.
ProcessId process_with(pid_t number);

/// Whether the process still runs.
bool is_running(const ProcessId& process);

/// What the numbers of processes are counted in: equal for two processes exactly where each can see the other
/// under its number. The boot of the machine and the process namespace.
std::string process_space();

/// The machine's name, or "unknown".
std::string host_name();

/// The time now, "2000-01-01T00:00:00Z".
std::string utc_now();

/// Exit code of a program that is not there, as shells and launchers have it.
inline constexpr int kNotFound = 127;

/// The processors that this process may run on, ascending.
std::vector<int> own_cores();

/// A program that runs beside this one.
class ChildProcess {
 public:
  /// Starts `command` (looked for in PATH) with standard output and error appended to `output`, and no input,
  /// in `environment`. The child is in a process group of its own, so that Ctrl-C does not reach it, and gets
  /// SIGUSR1 when this process dies. It and what it starts stay on the processors `cores`, where there are
  /// any, as far as the system allows. Without such a program it ends with exit code 127. Throws
  /// MachineFailure where the output cannot be written, BadInput where it is no regular file.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& output,
               const Environment& environment = own_environment(), const std::vector<int>& cores = {});
  /// Sends SIGTERM to one that still runs, and waits for it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] ProcessId id() const { return id_; }
  /// Exit code once it has ended, 128 + number for a signal; none while it runs.
  std::optional<int> poll();
  void signal(int number) const;

 private:
  ProcessId id_;
  std::optional<int> exit_code_;
};

/// What a program printed on standard output.
struct Captured {
  int exit_code = 0;
  std::string output;
  std::string error;
};

/// Runs a program to its end, in `environment`. Exit code 127: there is no such program.
Captured capture(const std::vector<std::string>& command, const Environment& environment = own_environment());

}  // namespace adapt
