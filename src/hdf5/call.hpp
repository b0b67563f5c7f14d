#pragma once

// Included by the .cpp files of this module only: brings the C API.

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "hdf5/handle.hpp"

namespace adapt::hdf5 {

static_assert(std::is_same_v<hid_t, std::int64_t>, "headers of this module hold identifiers as std::int64_t");

/// Turns off HDF5's own printing of errors for this thread (thread-safe builds keep one error stack each).
void silence();

/// Throws Error: "`what`: " and the innermost message of the current error stack.
[[noreturn]] void fail(const std::string& what);

/// Runs `call`, one call of the C API that returns a negative number on failure, and returns what it
/// returned.
template <class Call>
auto checked(const std::string& what, Call&& call) {
  silence();
  const auto result = call();
  if (result < 0) {
    fail(what);
  }
  return result;
}

}  // namespace adapt::hdf5
