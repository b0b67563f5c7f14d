#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "hdf5/group.hpp"

namespace adapt::hdf5 {

/// An HDF5 file in memory, where no file of that name exists, or one that lies somewhere. What is opened from
/// it must not outlive it. All members throw Error.
class File {
 public:
  /// An empty file for writing, in the format of HDF5 1.10 (all metadata has checksums, small datasets take
  /// little room).
  static File create();
  /// Opens the bytes of an HDF5 file for reading; `name` is for messages. Bytes after the end that the file
  /// itself names are ignored; bytes that are missing there are an Error. Of what it holds, nothing is read
  /// that lies in other files or needs a plug-in (untrusted.hpp); but damage can still crash the HDF5
  /// library: bytes that nobody vouches for belong into a child process (base/isolated.hpp).
  static File open(std::span<const std::byte> image, const std::string& name);

  /// Opens a file where it lies, for reading, without a lock; otherwise as above. Its elements need no
  /// memory.
  static File open(const std::filesystem::path& path);

  [[nodiscard]] Group root() const;
  /// The bytes of a whole, closed HDF5 file with everything written so far.
  [[nodiscard]] std::vector<std::byte> image() const;

 private:
  explicit File(Handle handle) : handle_(std::move(handle)) {}

  Handle handle_;
};

}  // namespace adapt::hdf5
