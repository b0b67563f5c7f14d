#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace adapt {

/// An isolated computation gave no answer: it crashed, or took more memory or time than it may. The message
/// says which, as the end of a sentence about its input.
class NoAnswer : public Failure {
 public:
  using Failure::Failure;
};

/// A function of bytes that nobody vouches for. An IsolatedChild computes it, so that what makes a C library
/// crash, loop or take all memory becomes one error here. Objects of this class live as long as the program.
class IsolatedFunction {
 public:
  using Body = std::vector<std::byte> (*)(std::span<const std::byte> argument);

  /// `own_name`: no other has it; the child finds the function by it.
  IsolatedFunction(const char* own_name, Body function);

  [[nodiscard]] const char* name() const { return name_; }
  [[nodiscard]] Body body() const { return body_; }

 private:
  const char* name_;
  Body body_;
};

/// The first statement of main() in each program that makes an IsolatedChild. In such a child: answers its
/// parent until that is gone, and ends the process.
void serve_isolated(int argc, const char* const* argv);

/// For the body of an IsolatedFunction: from now on the process may hold so many bytes of memory (address
/// space), and may not open files. Holds to the end of the scope.
class Confinement {
 public:
  explicit Confinement(std::uint64_t memory);
  ~Confinement();
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;
};

/// A child process that computes one function as often as it is asked: this program, started anew, which is
/// safe in a process with threads or MPI. It starts with the first call, and again after a call that it did
/// not survive. It has the limits kIsolatedMemory and kIsolatedSeconds, leaves no core file, and prints
/// nothing.
class IsolatedChild {
 public:
  explicit IsolatedChild(const IsolatedFunction& function) : function_(&function) {}
  ~IsolatedChild() { stop(); }
  IsolatedChild(const IsolatedChild&) = delete;
  IsolatedChild& operator=(const IsolatedChild&) = delete;

  /// What the function returns for `argument`. Throws BadInput and Failure as the function does, NoAnswer
  /// where there is no answer, and MachineFailure where no child can be started.
  std::vector<std::byte> call(std::span<const std::byte> argument);

 private:
  void start();
  /// Ends it. What it died of, if it had not ended by itself.
  std::string stop();

  const IsolatedFunction* function_;
  pid_t process_ = 0;  ///< 0: none
  int socket_ = -1;
};

/// Address space of a child, in bytes.
inline constexpr std::uint64_t kIsolatedMemory = std::uint64_t{8} << 30U;
/// Processor time of a child for one call.
inline constexpr unsigned kIsolatedSeconds = 20;

}  // namespace adapt
