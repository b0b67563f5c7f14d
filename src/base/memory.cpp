#include "base/memory.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <system_error>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kKilobyte = 1024;  // as in files of the kernel

/// The number behind `key` in a file of lines "key number" or "key: number kB".
std::optional<std::int64_t> number_in(const std::filesystem::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name;
    std::int64_t value = 0;
    if (words >> name >> value && (name == key || name == concat(key, ":"))) {
      return value;
    }
  }
  return std::nullopt;
}

/// The only number of a file; none where it has none ("max") or is not there.
std::optional<std::int64_t> number_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

/// What the two versions of control groups call the same things.
struct GroupFiles {
  const char* limit;
  const char* usage;
  std::array<const char*, 2> cached;  ///< in memory.stat: files that can go
};
constexpr GroupFiles kVersion1 = {
    "memory.limit_in_bytes", "memory.usage_in_bytes", {"total_inactive_file", "total_active_file"}};
constexpr GroupFiles kVersion2 = {"memory.max", "memory.current", {"inactive_file", "active_file"}};

/// Lowers `bound` to what is left in a group.
void apply_group(const std::filesystem::path& folder, const std::string& name, const GroupFiles& files,
                 MemoryBound& bound) {
  const auto limit = number_of(folder / files.limit);
  const auto usage = number_of(folder / files.usage);
  if (!limit || !usage) {
    return;
  }
  std::int64_t used = *usage;
  for (const char* key : files.cached) {
    used -= number_in(folder / "memory.stat", key).value_or(0);
  }
  // In this order: a group without a limit has nearly the largest number.
  const std::int64_t left = std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, used));
  if (left < bound.bytes) {
    bound = {left, concat("the limit of the control group ", name, ", ", bytes_text(*limit))};
  }
}

/// The group `name` and all above it, below `mount`. In a container the mount begins at the group itself, and
/// the name tells where that is outside.
void apply_groups(const std::filesystem::path& mount, std::filesystem::path name, const GroupFiles& files,
                  MemoryBound& bound) {
  std::error_code ignored;
  while (name.has_relative_path()) {
    const std::filesystem::path folder = mount / name.relative_path();
    if (std::filesystem::is_directory(folder, ignored)) {
      apply_group(folder, name.string(), files, bound);
    }
    name = name.parent_path();
  }
  apply_group(mount, "/", files, bound);
}

/// Address space that is taken beside what is used of it: stacks of threads, and what malloc sets aside for
/// each. A share of a limit, as few threads run where there is little.
std::int64_t space_of_threads(std::int64_t limit) {
  constexpr std::int64_t kShare = 10;
  constexpr std::int64_t kMost = std::int64_t{1} << 28U;
  return std::min(kMost, limit / kShare);
}

void apply_limit(int resource, const char* name, const std::filesystem::path& status, const char* used_key,
                 MemoryBound& bound) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return;
  }
  const std::int64_t used = number_in(status, used_key).value_or(0) * kKilobyte;
  const auto most = static_cast<std::int64_t>(
      std::min(limit.rlim_cur, static_cast<rlim_t>(std::numeric_limits<std::int64_t>::max())));
  const std::int64_t reserve = resource == RLIMIT_AS ? space_of_threads(most) : 0;
  const std::int64_t left = std::max<std::int64_t>(0, most - used - reserve);
  if (left < bound.bytes) {
    bound = {left, concat(name, ", ", bytes_text(most))};
  }
}

}  // namespace

MemoryBound available_memory(const std::filesystem::path& root) {
  MemoryBound bound = {kNone, ""};
  if (const auto kilobytes = number_in(root / "proc/meminfo", "MemAvailable")) {
    bound = {*kilobytes * kKilobyte, "MemAvailable"};
  }
  // Lines "hierarchy:controllers:group"; version 2 has hierarchy 0 and no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = concat(",", line.substr(first + 1, second - first - 1), ",");
    const std::string name = line.substr(second + 1);
    if (controllers.find(",memory,") != std::string::npos) {
      apply_groups(root / "sys/fs/cgroup/memory", name, kVersion1, bound);
    } else if (controllers == ",,") {
      apply_groups(root / "sys/fs/cgroup", name, kVersion2, bound);
      apply_groups(root / "sys/fs/cgroup/unified", name, kVersion2, bound);
    }
  }
  return bound;
}

std::int64_t killed_for_memory(const std::filesystem::path& root) {
  return number_in(root / "proc/vmstat", "oom_kill").value_or(0);
}

MemoryBound available_to_process() {
  MemoryBound bound = {kNone, ""};
  apply_limit(RLIMIT_AS, "RLIMIT_AS", "/proc/self/status", "VmSize", bound);
  apply_limit(RLIMIT_DATA, "RLIMIT_DATA", "/proc/self/status", "VmData", bound);
  return bound;
}

void give_back(std::span<const std::byte> memory) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t end = (begin + memory.size()) / page * page;
  if (first < end) {
    ::madvise(reinterpret_cast<void*>(first), end - first,
              MADV_DONTNEED);  // NOLINT(performance-no-int-to-ptr)
  }
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  constexpr double kStep = 1000;
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= kStep && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace adapt
