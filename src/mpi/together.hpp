#pragma once

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <string>

#include "base/error.hpp"
#include "base/failure_text.hpp"
#include "base/process.hpp"
#include "mpi/communicator.hpp"

namespace adapt::mpi {

/// An error that all ranks know of: rank 0 alone prints it, and MPI can be ended in order.
class SharedError : public Error {
 public:
  using Error::Error;
};

/// How work ended on one rank.
struct Ending {
  ExitCode code = ExitCode::done;
  std::string message;
  Cause cause = Cause::task;
};

/// Runs `work` and says how it ended.
template <class Work>
Ending attempt(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.code(), error.what(), error.cause()};
  } catch (const std::bad_alloc& error) {
    return {ExitCode::failed, failure_text(error), Cause::memory};
  } catch (const std::exception& error) {
    return {ExitCode::failed, failure_text(error)};
  }
  return {};
}

/// "rank 3 (host n2)", of this process.
inline std::string name_of_rank(const Communicator& ranks) {
  return concat("rank ", ranks.rank(), " (host ", host_name(), ")");
}

/// Throws the failed ending of rank `failed` on all ranks as a SharedError (collective). `ending` counts on
/// that rank only. What rank 0 did well, so that it is that rank's own affair, bears the rank's name; a stop
/// is everybody's.
[[noreturn]] inline void share_failure(const Communicator& ranks, const Ending& ending, int failed) {
  const bool is_own = failed != 0 && ending.code != ExitCode::stopped;
  const std::string own = is_own ? concat(name_of_rank(ranks), ": ", ending.message) : ending.message;
  const std::string message = ranks.broadcast(own, failed);
  const std::string code = ranks.broadcast(std::to_string(static_cast<int>(ending.code)), failed);
  const std::string cause = ranks.broadcast(std::to_string(static_cast<int>(ending.cause)), failed);
  throw SharedError(static_cast<ExitCode>(std::stoi(code)), message, static_cast<Cause>(std::stoi(cause)));
}

/// Runs `work` on all ranks (collective). If it throws on any of them, all throw a SharedError with the
/// message and exit code of the lowest rank that failed: bad input ends every rank with one line. `work`
/// itself must not be collective. Costs one message of 8 bytes.
template <class Work>
void together(const Communicator& ranks, Work&& work) {
  const Ending ending = attempt(work);
  // The highest mark belongs to the lowest failed rank.
  const int mark = ending.code == ExitCode::done ? 0 : ranks.size() - ranks.rank();
  std::array<std::int64_t, 1> highest = {mark};
  ranks.maximum(highest);
  if (highest[0] != 0) {
    share_failure(ranks, ending, ranks.size() - static_cast<int>(highest[0]));
  }
}

/// Runs `work` that does the same on all ranks and so fails on all or none: as together(), but without its
/// message where all is well. Should `work` fail on some ranks only after all, the others learn of it in
/// their next together(), if no other collective call comes before.
template <class Work>
void alike(const Communicator& ranks, Work&& work) {
  try {
    work();
  } catch (const std::exception&) {
    together(ranks, [] { throw; });
  }
}

}  // namespace adapt::mpi
