#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
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

/// What DONE, the file beside a finished run's run.h5, says of it.
enum class Done {
  absent,   ///< there is none
  matches,  ///< it names the digest of these bytes
  foreign,  ///< it names another: it was written for another run, or the run was changed since
};

/// The content of DONE for a run.h5 of these bytes: "<SHA-256>  run.h5", as `sha256sum --check` reads it.
std::string done_text(std::span<const std::byte> file);

/// The content of DONE in a folder; nothing where there is none. To be read before the run.h5 that it is to
/// vouch for, which is written first.
std::optional<std::string> read_done(const std::filesystem::path& folder);

Done check_done(const std::optional<std::string>& done, std::span<const std::byte> file);

/// The same for a folder; foreign where there is a DONE but no run.h5 that can be read.
Done check_done(const std::filesystem::path& folder);

}  // namespace adapt
