#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "mpi/communicator.hpp"

namespace adapt::mpi {

/// Keeps memory to the end of the process: that of messages which were given up half-way, as after an error,
/// and which MPI may still work on.
template <class T>
void keep_forever(T memory) {
  static auto* const kept = new std::vector<T>();
  kept->push_back(std::move(memory));
}

/// Messages that are under way together, while this rank does other work. Memory that was handed over stays
/// untouched until they are done. Two messages from one rank to another with the same tag arrive in the
/// order in which they were sent. Those under way when the object ends are given up: their memory must be
/// kept (keep_forever). Errors of MPI throw Failure with MPI's words.
class Messages {
 public:
  Messages();
  ~Messages();
  Messages(Messages&&) noexcept;
  Messages& operator=(Messages&&) noexcept;
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;

  void send(const Communicator& ranks, std::span<const std::byte> bytes, int to, int tag);
  /// `bytes` may be longer than the message.
  void receive(const Communicator& ranks, std::span<std::byte> bytes, int from, int tag);
  /// Element-wise sum over the ranks, to all, in place. Collective: all ranks start their sums in one order.
  void sum(const Communicator& ranks, std::span<float> values);

  /// Whether all are done; lets MPI work on them.
  bool test();
  /// Waits until all are done.
  void wait();
  /// Waits until at least one message of `groups` is done that was not before. Each group must have one that
  /// is under way; none: returns at once.
  static void wait_for_some(std::span<Messages* const> groups);
  /// Length in bytes of the message that was started as number `index`, a receive that is done.
  [[nodiscard]] std::size_t length(std::size_t index) const;
  /// Forgets messages that are done.
  void clear();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt::mpi
