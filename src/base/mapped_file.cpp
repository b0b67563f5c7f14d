#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <mutex>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/terminal.hpp"

namespace adapt {
namespace {

/// Larger files are read here and there: what the kernel reads ahead would be in vain.
constexpr std::size_t kLarge = std::size_t{1} << 30U;

/// What the handler of SIGBUS, which may not wait for a lock, knows of a mapping. Of more than so many at a
/// time it does not know the names.
struct Mapping {
  std::atomic<const std::uint8_t*> begin = nullptr;  ///< null: free
  std::atomic<std::size_t> size = 0;
  std::atomic<const char*> name = nullptr;
};

std::array<Mapping, 64>& mappings() {
  static std::array<Mapping, 64> instance;
  return instance;
}

/// Of a process that is about to end. What cannot be written is lost.
void say(std::string_view text) {
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

/// Only calls that a signal handler may make.
void end_for_lost_page(int /*signal*/, siginfo_t* info, void* /*context*/) {
  constexpr int kFailed = static_cast<int>(ExitCode::failed);
  const auto* const place = static_cast<const std::uint8_t*>(info->si_addr);
  for (const Mapping& mapping : mappings()) {
    const std::uint8_t* const begin = mapping.begin;
    if (begin == nullptr || place < begin || place >= begin + mapping.size) {
      continue;
    }
    std::array<char, 24> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), place - begin);
    say("adapt: error: ");
    say(mapping.name.load());
    say(": byte ");
    say({digits.data(), static_cast<std::size_t>(written.ptr - digits.data())});
    say(" cannot be read any more: the file became shorter, or its disk fails; expected a file that stays as "
        "it is while "
        "it is read\n");
    ::_exit(kFailed);
  }
  ::signal(SIGBUS, SIG_DFL);  // somebody else's: it happens again, and ends the process
}

void watch_for_lost_pages() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = end_for_lost_page;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, nullptr);
  });
}

/// All that are mapped.
struct Files {
  std::mutex mutex;
  std::set<const MappedFile*> open;
};

Files& files() {
  static Files instance;
  return instance;
}

/// With the lock of files().
void remember(std::span<const std::uint8_t> bytes, const char* name) {
  const auto free =
      std::ranges::find_if(mappings(), [](const Mapping& mapping) { return mapping.begin == nullptr; });
  if (free != mappings().end()) {
    free->size = bytes.size();
    free->name = name;
    free->begin = bytes.data();
  }
}

void forget(const std::uint8_t* begin) {
  for (Mapping& mapping : mappings()) {
    if (mapping.begin == begin) {
      mapping.begin = nullptr;
    }
  }
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) : name_(printable_line(path.string())) {
  const RegularFile file(path);
  if (file.size() == 0) {
    return;  // there are no mappings of nothing
  }
  const auto size = static_cast<std::size_t>(file.size());
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (memory == MAP_FAILED) {
    throw Failure(concat("cannot map the ", size, " bytes of ", path, ": ", std::strerror(errno)),
                  Cause::machine);
  }
  bytes_ = {static_cast<const std::uint8_t*>(memory), size};
  if (size > kLarge) {
    ::madvise(memory, size, MADV_RANDOM);
  }
  descriptor_ = ::fcntl(file.descriptor(), F_DUPFD_CLOEXEC, 0);
  mapped_ = stamp();
  watch_for_lost_pages();
  const std::lock_guard lock(files().mutex);
  remember(bytes_, name_.c_str());
  files().open.insert(this);
}

MappedFile::Stamp MappedFile::stamp() const {
  struct stat status = {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    return {};
  }
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void MappedFile::check_all() {
  const std::lock_guard lock(files().mutex);
  for (const MappedFile* const file : files().open) {
    if (file->stamp() != file->mapped_) {
      throw Failure(
          concat(file->name_,
                 " was written to while it was read; expected data that stay as they are during a run"),
          Cause::machine);
    }
  }
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    const std::lock_guard lock(files().mutex);
    files().open.erase(this);
    forget(bytes_.data());
    ::close(descriptor_);
    ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace adapt
