#pragma once

#include "mpi/communicator.hpp"

namespace adapt::test {

/// All ranks of an MPI test program (mpi_main.cpp).
const mpi::Communicator& world();

}  // namespace adapt::test
