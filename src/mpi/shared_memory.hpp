#pragma once

#include <cstddef>
#include <span>

#include "mpi/communicator.hpp"

namespace adapt::mpi {

/// Memory of one node that all its ranks see, filled by the first of them: an MPI shared-memory window. It
/// stays to the end of the process, as giving it back would be one more thing that all ranks must do
/// together.
class SharedMemory {
 public:
  /// Ranks of one node make it together (collective); `bytes` counts on the first of them. Errors of MPI
  /// throw Failure with MPI's words.
  SharedMemory(const Communicator& node, std::size_t bytes);

  /// Of all ranks the same memory.
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  /// Until all have called it (collective); what the first rank wrote before is then seen by all.
  void publish(const Communicator& node) const;

  /// Whether the machine has room for so many bytes more of such memory.
  [[nodiscard]] static bool has_room(std::size_t bytes);

 private:
  std::span<std::byte> bytes_;
};

}  // namespace adapt::mpi
