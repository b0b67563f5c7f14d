#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mpi/watchdog.hpp"

namespace adapt::mpi {

/// Starts MPI and ends it at the end of the scope, under the eyes of a watchdog (mpi/watchdog.hpp); one per
/// process. Errors must be caught within the scope: a rank that failed cannot take part in ending MPI and
/// calls abort() instead.
class Session {
 public:
  Session(int* argc, char*** argv);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  Watchdog watchdog_;
};

/// Some ranks of the program, with an MPI communicator of their own, which it frees. Every call but rank(),
/// size() and those of nodes is collective. Errors of MPI throw Failure with MPI's words.
class Communicator {
 public:
  /// All ranks of the program, in a Session: a duplicate of MPI_COMM_WORLD.
  static Communicator world();
  /// Those of these ranks that are on this rank's node.
  [[nodiscard]] Communicator split_shared() const;

  ~Communicator();
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) = delete;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  /// Where the ranks are, by rank: the lowest rank on the same node. Not collective.
  [[nodiscard]] const std::vector<int>& nodes() const;
  /// From now on nodes() says so, which must be the same on all ranks: for tests of placements that one
  /// machine does not have.
  void pretend_nodes(std::vector<int> nodes);

  /// Element-wise sum over the ranks, to all, in place: the same for any number of ranks.
  void sum(std::span<std::int64_t> values) const;
  /// Element-wise maximum over the ranks, to all, in place.
  void maximum(std::span<std::int64_t> values) const;
  /// Bytes of rank 0 to all. Sizes must agree.
  void broadcast(std::span<std::byte> bytes) const;
  /// Text of `root` to all.
  [[nodiscard]] std::string broadcast(const std::string& text, int root = 0) const;
  /// The text of every rank, by rank, to all.
  [[nodiscard]] std::vector<std::string> all_gather(const std::string& text) const;
  void barrier() const;

 private:
  struct Handles;
  friend struct Background;
  explicit Communicator(std::unique_ptr<Handles> handles);

  std::unique_ptr<Handles> handles_;
};

/// Bytes that each rank sends in an allreduce of `bytes` that sends no more than it must (a ring, or a
/// reduce-scatter with an allgather): 2 (N - 1) / N of them, rounded up. What MPI_Allreduce sends is its own
/// affair; this makes it comparable with messages that are counted.
std::int64_t allreduce_bytes(const Communicator& ranks, std::int64_t bytes);

/// Messages that each rank sends in an allreduce by a tree: 2 ceil(log2 N). As with allreduce_bytes().
std::int64_t allreduce_messages(const Communicator& ranks);

/// Ends all ranks at once with `code`. Does not return.
[[noreturn]] void abort(int code);

/// "Open MPI v4.1.4, ..." in one line.
std::string library_version();

}  // namespace adapt::mpi
