#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace adapt {

/// Something is in the way at one place, and says nothing of others: a folder under the name of a file, a
/// folder that may not be written.
class Obstructed : public MachineFailure {
 public:
  using MachineFailure::MachineFailure;
};

/// Throws `what` with the text of `error`, the errno of a call that failed: Obstructed where that is about
/// the very file or folder, else MachineFailure.
[[noreturn]] void fail_with(const std::string& what, int error);

/// 16 hexadecimal digits that nobody foresees, from the operating system.
std::string random_digits();

/// A folder that is held open: what is done goes to this very folder, whatever happens to its name meanwhile.
/// Files are made under names that nobody foresees, and through no link. All members throw Failure (path and
/// errno text).
class Folder {
 public:
  /// What to do where the name is one of a link to a folder.
  enum class Links { followed, refused };

  /// Links refused: throws BadInput for a link.
  explicit Folder(const std::filesystem::path& path, Links links = Links::followed);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// Writes the file `name` so that at every moment it is either the old file or the whole new one: temporary
  /// name, fsync, rename, fsync of the folder. The temporary file is removed on failure. `mode`:
  /// its permissions, but for those that the process's umask withholds.
  void write(const std::string& name, std::span<const std::byte> bytes, unsigned mode = 0644) const;
  /// The same for a file that must not be there yet: false, and nothing changed, where it is.
  [[nodiscard]] bool create(const std::string& name, std::span<const std::byte> bytes) const;
  /// Removes a file, or a link itself, if it is there.
  void remove(const std::string& name) const;
  /// fsync: what was made or renamed in it stays after a crash of the machine.
  void sync() const;

 private:
  class NewFile;
  friend std::optional<std::chrono::nanoseconds> clock_beside(const std::filesystem::path& path);

  std::filesystem::path path_;
  int descriptor_;
};

/// Makes a folder of ours and those above it, unless it is there; whether it was made. Throws BadInput where
/// something else or a link is in its place, as nothing is written through links that we did not get from the
/// user; Failure where it cannot be made or written.
bool make_own_folder(const std::filesystem::path& path);

/// Marks a file, not through a link, as changed now by the clock of its file system. Errors are ignored.
void touch(const std::filesystem::path& path);

/// The time now by the clock of the file system that `path` lies on, with which it would be marked if it were
/// changed now: that of another machine may differ from ours. Since 1970; nothing where no file can be made
/// beside it to see.
std::optional<std::chrono::nanoseconds> clock_beside(const std::filesystem::path& path);

/// When the file was changed last, as its file system says, since 1970; nothing where it is gone. Does not
/// follow a link.
std::optional<std::chrono::nanoseconds> last_change(const std::filesystem::path& path);

/// Folder::write() to a path. Throws Failure.
void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// The same for text.
void write_atomically(const std::filesystem::path& path, const std::string& text);

/// Folder::create() of a path. Of several processes that try, on several machines too, one succeeds.
bool create_exclusively(const std::filesystem::path& path, const std::string& text);

/// A regular file that is open for reading.
class RegularFile {
 public:
  /// Throws BadInput when it is missing, unreadable, or no regular file (path and reason).
  explicit RegularFile(const std::filesystem::path& path);
  ~RegularFile();
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Bytes that it had when it was opened.
  [[nodiscard]] std::uintmax_t size() const { return size_; }

 private:
  void close();

  int descriptor_;
  std::uintmax_t size_ = 0;
};

/// Reads a whole regular file of at most `most` bytes. Throws BadInput when it is larger, missing, a
/// directory, or unreadable (path and reason), before any memory is taken for it.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::uintmax_t most);

/// The same as text.
std::string read_text(const std::filesystem::path& path, std::uintmax_t most);

/// Far more than the small files hold that we write beside a run (claims, failures, counts), in bytes.
inline constexpr std::uintmax_t kSmallFile = std::uintmax_t{1} << 20U;

}  // namespace adapt
