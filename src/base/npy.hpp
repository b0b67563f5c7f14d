#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adapt {

/// What NumPy's format says of an array before its bytes (numpy.lib.format, versions 1 to 3).
struct NpyHeader {
  std::string type;                ///< "<f4", "|u1", ">i8"
  std::vector<std::int64_t> dims;  ///< row-major; none: a scalar
  std::size_t start = 0;           ///< of the elements, which fill the rest
};

/// What is wrong with such bytes.
struct NpyFlaw {
  std::size_t offset = 0;
  std::string expected;
  std::string found;
};

/// The header of an array that is all of `bytes`. Throws NpyFlaw for what is none, for an array in Fortran's
/// order, and for one whose elements do not fill the bytes.
NpyHeader read_npy_header(std::span<const std::byte> bytes);

}  // namespace adapt
