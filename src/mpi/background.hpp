#pragma once

#include <mpi.h>

namespace adapt::mpi {

/// A communicator of all ranks for what goes on beside other work, so that its collective calls need not be
/// in order with those of MPI_COMM_WORLD. It lives as long as the Session.
MPI_Comm background();

}  // namespace adapt::mpi
