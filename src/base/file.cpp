#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "base/process.hpp"

namespace adapt {
namespace {

/// Owns a POSIX file descriptor.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] bool open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }
  int close() { return number_ < 0 ? 0 : ::close(std::exchange(number_, -1)); }

 private:
  int number_;
};

std::string reason() { return std::strerror(errno); }

/// Piece by piece, so that tests can stop in between.
bool write_all(int descriptor, std::span<const std::byte> bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 18U;
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), std::min(bytes.size(), kPiece));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    fault::point("write");
  }
  return true;
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (!descriptor.open() || ::fsync(descriptor.number()) != 0) {
    throw MachineFailure(concat("cannot sync folder ", folder, ": ", reason()));
  }
}

void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::filesystem::path temporary = path;
  temporary += concat(".tmp.", ::getpid());
  try {
    Descriptor descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!descriptor.open()) {
      throw MachineFailure(concat("cannot create ", temporary, ": ", reason()));
    }
    if (!write_all(descriptor.number(), bytes) || ::fsync(descriptor.number()) != 0 ||
        descriptor.close() != 0) {
      throw MachineFailure(concat("cannot write ", temporary, ": ", reason()));
    }
    fault::point("rename");
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw MachineFailure(concat("cannot rename ", temporary, " to ", path, ": ", reason()));
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(path.parent_path());
}

void write_atomically(const std::filesystem::path& path, const std::string& text) {
  write_atomically(path, std::as_bytes(std::span(text)));
}

bool create_exclusively(const std::filesystem::path& path, const std::string& text) {
  // link() of a whole file: also NFS does it for one process only, and nobody reads half a file.
  const std::filesystem::path draft =
      path.parent_path() / concat(".", path.filename().string(), ".", host_name(), ".", ::getpid());
  write_atomically(draft, text);
  const int status = ::link(draft.c_str(), path.c_str());
  const int number = errno;
  ::unlink(draft.c_str());
  if (status != 0 && number != EEXIST) {
    throw MachineFailure(concat("cannot create ", path, ": ", std::strerror(number)));
  }
  return status == 0;
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  // Opening a pipe without O_NONBLOCK would wait for a writer.
  const Descriptor descriptor(path, O_RDONLY | O_NONBLOCK);
  struct stat status = {};
  if (!descriptor.open() || ::fstat(descriptor.number(), &status) != 0) {
    throw BadInput(concat("cannot read ", path, ": ", reason()));
  }
  if (!S_ISREG(status.st_mode)) {
    throw BadInput(concat("cannot read ", path, ": not a regular file; expected a file"));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(descriptor.number(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      throw BadInput(concat("cannot read ", path, ": ", reason()));
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace adapt
