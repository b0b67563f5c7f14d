#pragma once

#include <algorithm>
#include <array>
#include <exception>
#include <string>

#include "base/error.hpp"
#include "mpi/communicator.hpp"

namespace adapt::mpi {

/// An error that all ranks know of: rank 0 alone prints it, and MPI can be ended in order.
class SharedError : public Error {
 public:
  using Error::Error;
};

/// Runs `work` on all ranks (collective). If it throws on any of them, all throw a SharedError with the
/// message and exit code of the lowest rank that failed: bad input ends every rank with one line. `work`
/// itself must not be collective.
template <class Work>
void together(const Communicator& ranks, Work&& work) {
  std::string message;
  ExitCode code = ExitCode::done;
  try {
    work();
  } catch (const Error& error) {
    message = error.what();
    code = error.code();
  } catch (const std::exception& error) {
    message = error.what();
    code = ExitCode::failed;
  }
  // The highest mark belongs to the lowest failed rank.
  const int mark = code == ExitCode::done ? 0 : ranks.size() - ranks.rank();
  std::array<std::int64_t, 1> marks = {mark};
  ranks.maximum(marks);
  if (marks[0] == 0) {
    return;
  }
  const int failed = ranks.size() - static_cast<int>(marks[0]);
  message = ranks.broadcast(message, failed);
  const std::string number = ranks.broadcast(std::to_string(static_cast<int>(code)), failed);
  throw SharedError(static_cast<ExitCode>(std::stoi(number)), message);
}

}  // namespace adapt::mpi
