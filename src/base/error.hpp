#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace adapt {

/// Exit codes of the program; scripts and batch jobs rely on them.
enum class ExitCode : int {
  done = 0,       ///< finished
  failed = 1,     ///< something went wrong while running
  bad_input = 2,  ///< the message says what is wrong, where, and what would be right
  stopped = 75,   ///< stopped at a checkpoint, can be resumed
};

/// What an error is to be blamed on: what the program was asked to do; the machine that was to do it, on
/// which the same may go well tomorrow; its memory, which was not enough; numbers that became NaN or infinite
/// on the way, as training diverged.
enum class Cause { task, machine, memory, numbers };

/// An error that ends the program with a given exit code. The message is one line.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, Cause cause = Cause::task)
      : std::runtime_error(message), code_(code), cause_(cause) {}
  [[nodiscard]] ExitCode code() const { return code_; }
  [[nodiscard]] Cause cause() const { return cause_; }

 private:
  ExitCode code_;
  Cause cause_;
};

/// The user's input (configuration, data, command line) is wrong: exit code 2. Where it is wrong for this
/// machine only, which has too little memory, say, the machine is the cause.
class BadInput : public Error {
 public:
  explicit BadInput(const std::string& message, Cause cause = Cause::task)
      : Error(ExitCode::bad_input, message, cause) {}
};

/// The run failed for a reason that is not the user's input: exit code 1.
class Failure : public Error {
 public:
  explicit Failure(const std::string& message, Cause cause = Cause::task)
      : Error(ExitCode::failed, message, cause) {}
};

/// A failure of the machine: a full disk, a program that is not there, MPI without a network.
class MachineFailure : public Failure {
 public:
  explicit MachineFailure(const std::string& message) : Failure(message, Cause::machine) {}
};

/// Joins the parts into one string, as `<<` would print them.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.precision(9);
  (out << ... << parts);
  return out.str();
}

}  // namespace adapt
