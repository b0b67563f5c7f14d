#include "mpi/check.hpp"

#include <mpi.h>

#include <array>
#include <climits>
#include <string>

#include "base/error.hpp"

namespace adapt::mpi {

void check(int status, const char* call) {
  if (status == MPI_SUCCESS) {
    return;
  }
  std::array<char, MPI_MAX_ERROR_STRING> text = {};
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  throw MachineFailure(concat(call, " failed: ", std::string(text.data(), static_cast<std::size_t>(length))));
}

int count_of(std::size_t count) {
  if (count > INT_MAX) {
    throw Failure(concat("a message of ", count, " elements is too long for MPI"));
  }
  return static_cast<int>(count);
}

}  // namespace adapt::mpi
