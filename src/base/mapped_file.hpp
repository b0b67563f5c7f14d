#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace adapt {

/// A file's bytes without a copy of them: pages of the kernel's cache, which all processes of a machine
/// share, and which the kernel drops where memory is short, so that a file may be larger than memory.
class MappedFile {
 public:
  /// Throws BadInput as RegularFile; Failure where there is no room left for its addresses.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Of a file that becomes shorter while it is mapped, or that a disk does not give back, the pages are
  /// gone: reading there ends the process with exit code 1 and a message that names path and offset.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::string name_;  ///< for the message, fit for a terminal
};

}  // namespace adapt
