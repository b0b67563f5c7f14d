#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace adapt {

/// Whether the bytes of a run file are the ones that adapt wrote.
enum class Seal {
  intact,  ///< sealed, and not a byte has changed
  absent,  ///< not sealed: written by another program, or cut off
  broken,  ///< sealed, but the bytes before the seal have changed
};

/// Appends the seal, one line "adapt-run sha256 <digest of all bytes before it>". HDF5 ignores bytes after
/// its own end of file, and drops them when a program opens the file for writing.
void append_seal(std::vector<std::byte>& image);

/// Looks for a seal at the end of `file` and checks it.
Seal check_seal(std::span<const std::byte> file);

}  // namespace adapt
