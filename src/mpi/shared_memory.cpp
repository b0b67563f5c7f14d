#include "mpi/shared_memory.hpp"

#include <mpi.h>

#include <filesystem>
#include <system_error>

#include "mpi/background.hpp"
#include "mpi/check.hpp"
#include "mpi/watchdog.hpp"

namespace adapt::mpi {
namespace {

/// Where MPI libraries make such memory on Linux. A container may have 64 MB there.
constexpr const char* kFolder = "/dev/shm";

}  // namespace

SharedMemory::SharedMemory(const Communicator& node, std::size_t bytes) {
  const Waiting waiting("MPI_Win_allocate_shared");
  void* own = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  const auto size = static_cast<MPI_Aint>(node.rank() == 0 ? bytes : 0);
  check(MPI_Win_allocate_shared(size, 1, MPI_INFO_NULL, Background::of(node), &own, &window),
        "MPI_Win_allocate_shared");
  MPI_Aint found = 0;
  int unit = 0;
  void* first = nullptr;
  check(MPI_Win_shared_query(window, 0, &found, &unit, &first), "MPI_Win_shared_query");
  bytes_ = {static_cast<std::byte*>(first), static_cast<std::size_t>(found)};
}

void SharedMemory::publish(const Communicator& node) const { node.barrier(); }

bool SharedMemory::has_room(std::size_t bytes) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(kFolder, error);
  constexpr std::uintmax_t kReserve = std::uintmax_t{1} << 24U;  // of MPI itself
  return !error && space.available >= bytes + kReserve;
}

}  // namespace adapt::mpi
