#include "base/file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/phase.hpp"

namespace adapt {
namespace {

/// Owns a POSIX file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
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

/// Files are read and written piece by piece, so that a slow disk is told from a stuck process, and tests can
/// stop in between.
constexpr std::size_t kPiece = std::size_t{1} << 18U;

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), std::min(bytes.size(), kPiece));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    phase::begin("write");
  }
  return true;
}

std::chrono::nanoseconds since_1970(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// The folder that a path lies in.
std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

/// Whether a call failed for the sake of the file or folder that it was about: elsewhere it may go well.
bool is_obstacle(int error) {
  constexpr std::array kObstacles = {EACCES, EPERM, EISDIR, ENOTDIR, ENOTEMPTY, ELOOP};
  return std::find(kObstacles.begin(), kObstacles.end(), error) != kObstacles.end();
}

}  // namespace

void fail_with(const std::string& what, int error) {
  const std::string message = concat(what, ": ", std::strerror(error));
  if (is_obstacle(error)) {
    throw Obstructed(message);
  }
  throw MachineFailure(message);
}

std::string random_digits() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) {
    throw MachineFailure(concat("cannot get a random number: ", reason()));
  }
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(number));
  return digits.data();
}

/// A new file beside the one that it is to become; removed unless it became that.
class Folder::NewFile {
 public:
  NewFile(const Folder& folder, const std::string& name, unsigned mode = 0644)
      : folder_(folder),
        name_(concat(name, ".tmp.", random_digits())),
        file_(::openat(folder.descriptor_, name_.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)) {
    if (!file_.open()) {
      fail_with(concat("cannot create ", path()), errno);
    }
  }
  ~NewFile() {
    if (!name_.empty()) {
      ::unlinkat(folder_.descriptor_, name_.c_str(), 0);
    }
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void fill(std::span<const std::byte> bytes) {
    if (!write_all(file_.number(), bytes) || ::fsync(file_.number()) != 0 || file_.close() != 0) {
      fail_with(concat("cannot write ", path()), errno);
    }
  }

  void replace(const std::string& name) {
    phase::begin("rename");
    if (::renameat(folder_.descriptor_, name_.c_str(), folder_.descriptor_, name.c_str()) != 0) {
      fail_with(concat("cannot rename ", path(), " to ", folder_.path_ / name), errno);
    }
    name_.clear();
  }

  /// False where there is a file of that name.
  [[nodiscard]] bool become(const std::string& name) const {
    // link() of a whole file: also NFS does it for one process only, and nobody reads half a file.
    int status = ::linkat(folder_.descriptor_, name_.c_str(), folder_.descriptor_, name.c_str(), 0);
    if (status != 0 &&
        (errno == EPERM || errno == EOPNOTSUPP)) {  // a file system without links, as on a stick
      status = ::renameat2(folder_.descriptor_, name_.c_str(), folder_.descriptor_, name.c_str(),
                           RENAME_NOREPLACE);
    }
    if (status != 0 && errno != EEXIST) {
      fail_with(concat("cannot create ", folder_.path_ / name), errno);
    }
    return status == 0;
  }

  [[nodiscard]] std::chrono::nanoseconds time() const {
    struct stat status = {};
    ::fstat(file_.number(), &status);
    return since_1970(status.st_mtim);
  }

 private:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path_ / name_; }

  const Folder& folder_;
  std::string name_;  ///< empty: it has become what it was to be
  Descriptor file_;
};

Folder::Folder(const std::filesystem::path& path, Links links)
    : path_(path),
      descriptor_(::open(path.c_str(),
                         O_RDONLY | O_DIRECTORY | O_CLOEXEC | (links == Links::refused ? O_NOFOLLOW : 0))) {
  if (descriptor_ >= 0) {
    return;
  }
  const int error = errno;
  std::error_code ignored;
  if (links == Links::refused && std::filesystem::is_symlink(path, ignored)) {
    throw BadInput(concat(path, " is a link to ", std::filesystem::read_symlink(path, ignored),
                          "; expected a folder, as nothing is written through links"));
  }
  fail_with(concat("cannot open folder ", path), error);
}

Folder::~Folder() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void Folder::write(const std::string& name, std::span<const std::byte> bytes, unsigned mode) const {
  NewFile file(*this, name, mode);
  file.fill(bytes);
  file.replace(name);
  sync();
}

bool Folder::create(const std::string& name, std::span<const std::byte> bytes) const {
  NewFile file(*this, name);
  file.fill(bytes);
  const bool created = file.become(name);
  sync();
  return created;
}

void Folder::remove(const std::string& name) const {
  if (::unlinkat(descriptor_, name.c_str(), 0) != 0 && errno != ENOENT) {
    fail_with(concat("cannot remove ", path_ / name), errno);
  }
}

void Folder::sync() const {
  if (::fsync(descriptor_) != 0) {
    throw MachineFailure(concat("cannot sync folder ", path_, ": ", reason()));
  }
}

bool make_own_folder(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  const bool is_there = std::filesystem::exists(status);
  if (is_there && !std::filesystem::is_directory(status) && !std::filesystem::is_symlink(status)) {
    throw BadInput(concat(path, " is not a folder; expected one, or nothing"));
  }
  if (!is_there && !std::filesystem::create_directories(path, error) && error) {
    throw MachineFailure(concat("cannot make folder ", path, ": ", error.message()));
  }
  const Folder checked(path, Folder::Links::refused);
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    fail_with(concat("cannot write in folder ", path), errno);
  }
  return !is_there;
}

std::optional<std::chrono::nanoseconds> clock_beside(const std::filesystem::path& path) {
  try {
    const Folder folder(parent_of(path));
    return Folder::NewFile(folder, "clock").time();
  } catch (const Failure&) {
    return std::nullopt;
  }
}

void touch(const std::filesystem::path& path) {
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

std::optional<std::chrono::nanoseconds> last_change(const std::filesystem::path& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return since_1970(status.st_mtim);
}

void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  Folder(parent_of(path)).write(path.filename(), bytes);
}

void write_atomically(const std::filesystem::path& path, const std::string& text) {
  write_atomically(path, std::as_bytes(std::span(text)));
}

bool create_exclusively(const std::filesystem::path& path, const std::string& text) {
  return Folder(parent_of(path)).create(path.filename(), std::as_bytes(std::span(text)));
}

RegularFile::RegularFile(const std::filesystem::path& path)
    // Opening a pipe without O_NONBLOCK would wait for a writer.
    : descriptor_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  struct stat status = {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const std::string why = reason();
    close();
    throw BadInput(concat("cannot read ", path, ": ", why));
  }
  if (!S_ISREG(status.st_mode)) {
    close();
    throw BadInput(concat("cannot read ", path, ": not a regular file; expected a file"));
  }
  size_ = static_cast<std::uintmax_t>(status.st_size);
}

RegularFile::~RegularFile() { close(); }

void RegularFile::close() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

std::vector<std::byte> read_file(const std::filesystem::path& path, std::uintmax_t most) {
  const RegularFile file(path);
  if (file.size() > most) {
    throw BadInput(concat("cannot read ", path, ": it has ", file.size(), " bytes; expected at most ", most));
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(file.size()));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.descriptor(), bytes.data() + done, std::min(bytes.size() - done, kPiece));
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
    phase::go_on();
  }
  bytes.resize(done);
  return bytes;
}

std::string read_text(const std::filesystem::path& path, std::uintmax_t most) {
  const std::vector<std::byte> bytes = read_file(path, most);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace adapt
