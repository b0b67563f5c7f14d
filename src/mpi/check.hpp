#pragma once

#include <cstddef>

namespace adapt::mpi {

/// Throws Failure with MPI's words where `status` is not MPI_SUCCESS.
void check(int status, const char* call);

/// As MPI counts. Throws Failure for more than it can count.
int count_of(std::size_t count);

}  // namespace adapt::mpi
