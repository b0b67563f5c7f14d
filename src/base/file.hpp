#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace adapt {

/// Writes `bytes` to `path` so that at every moment `path` is either the old file or the whole new one:
/// temporary name in the same folder, fsync, rename, fsync of the folder. Throws Failure (path and errno
/// text); the temporary file is removed on failure.
void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// The same for text.
void write_atomically(const std::filesystem::path& path, const std::string& text);

/// The same for a file that must not be there yet: false, and nothing changed, where it is. Of several
/// processes that try, on several machines too, one succeeds.
bool create_exclusively(const std::filesystem::path& path, const std::string& text);

/// fsync of a folder: what was made or renamed in it stays after a crash of the machine. Throws Failure (path
/// and reason).
void sync_folder(const std::filesystem::path& folder);

/// Reads a whole regular file of at most `most` bytes. Throws BadInput when it is larger, missing, a
/// directory, or unreadable (path and reason), before any memory is taken for it.
std::vector<std::byte> read_file(const std::filesystem::path& path, std::uintmax_t most);

/// The same as text.
std::string read_text(const std::filesystem::path& path, std::uintmax_t most);

/// Far more than the small files hold that we write beside a run (claims, failures, counts), in bytes.
inline constexpr std::uintmax_t kSmallFile = std::uintmax_t{1} << 20U;

}  // namespace adapt
