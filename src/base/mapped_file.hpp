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

  /// Throws Failure, which names the file, where one that is mapped now was written to since: what was read
  /// of it may be neither the old content nor the new one. A file of the same name that took its place does
  /// not matter.
  static void check_all();

 private:
  /// Size and time of the last change, of the file itself.
  struct Stamp {
    std::int64_t bytes = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };

  [[nodiscard]] Stamp stamp() const;

  std::span<const std::uint8_t> bytes_;
  std::string name_;  ///< for the message, fit for a terminal
  int descriptor_ = -1;
  Stamp mapped_;
};

}  // namespace adapt
