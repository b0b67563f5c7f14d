#pragma once

#include <mpi.h>

#include "mpi/communicator.hpp"

namespace adapt::mpi {

/// The communicator of some ranks for what goes on beside other work, so that its collective calls need not
/// be in order with those of Communicator. It lives as long as the Session.
struct Background {
  static MPI_Comm of(const Communicator& ranks);
};

}  // namespace adapt::mpi
