#include "train/checkpoint_folder.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/phase.hpp"

namespace adapt {
namespace {

constexpr std::string_view kLast = "step-";
constexpr std::string_view kBest = "best-";
constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();

/// The step in a file name, -1 where it is none of ours.
std::int64_t step_of(const std::string& name) {
  constexpr std::size_t kMostDigits = 18;
  const std::string digits = name.substr(std::min(kLast.size(), name.size()));
  const bool number = !digits.empty() && digits.size() <= kMostDigits &&
                      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number && (name.starts_with(kLast) || name.starts_with(kBest)) ? std::stoll(digits) : -1;
}

/// The half-written file of a process that was killed.
bool is_leftover(const std::string& name) {
  return (name.starts_with(kLast) || name.starts_with(kBest)) && name.find(".tmp.") != std::string::npos;
}

/// Neither ours nor to be removed, whatever its name is.
bool is_folder(const std::filesystem::directory_entry& entry) {
  return std::filesystem::is_directory(entry.symlink_status());
}

}  // namespace

CheckpointFolder::CheckpointFolder(const std::filesystem::path& run_dir, const std::string& identity,
                                   int keep)
    : path_(run_dir / "checkpoints"), identity_(identity), keep_(static_cast<std::size_t>(keep)) {}

std::string CheckpointFolder::name_of(std::int64_t step, bool best) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%09lld", static_cast<long long>(step));
  return concat(best ? kBest : kLast, digits);
}

/// All that is no folder; nothing where there is no `checkpoints`. Throws BadInput where that is a file.
std::vector<std::filesystem::path> CheckpointFolder::entries() const {
  std::error_code missing;
  const std::filesystem::file_status status = std::filesystem::status(path_, missing);
  if (!std::filesystem::exists(status)) {
    return {};
  }
  if (!std::filesystem::is_directory(status)) {
    throw BadInput(concat(path_, " is not a folder; expected one, or nothing"));
  }
  std::vector<std::filesystem::path> found;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (!is_folder(entry)) {
        found.push_back(entry.path());
      }
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw MachineFailure(concat("cannot look into ", error.path1(), ": ", error.code().message()));
  }
  return found;
}

/// Newest first; the last one before the best one of the same step.
std::vector<CheckpointFolder::File> CheckpointFolder::files() const {
  std::vector<File> found;
  for (const std::filesystem::path& path : entries()) {
    const std::string name = path.filename().string();
    if (const std::int64_t step = step_of(name); step >= 0) {
      found.push_back({step, name.starts_with(kBest), path});
    }
  }
  std::sort(found.begin(), found.end(), [](const File& a, const File& b) {
    return a.step != b.step ? a.step > b.step : a.best < b.best;
  });
  return found;
}

bool CheckpointFolder::empty() const { return files().empty(); }

/// Throws BadInput unless the file holds a checkpoint of this experiment.
Checkpoint CheckpointFolder::read(const File& file, std::uintmax_t most_bytes) const {
  Checkpoint checkpoint = decode(read_file(file.path, most_bytes));
  if (checkpoint.step != file.step) {
    throw BadInput(concat("it is of step ", checkpoint.step, ", which its name does not say"));
  }
  if (checkpoint.identity != identity_) {
    throw BadInput("it belongs to another experiment");
  }
  return checkpoint;
}

/// Takes the files up to the newest one of use for good, as far as this can be known without reading them.
void CheckpointFolder::remember(const std::vector<File>& all, std::int64_t newest) {
  for (auto file = all.rbegin(); file != all.rend(); ++file) {
    if (file->best && file->step <= newest) {
      best_ = file->step;
    } else if (!file->best && file->step < newest) {
      good_.push_back(file->step);
    }
  }
  good_.push_back(newest);
}

std::optional<Checkpoint> CheckpointFolder::newest(std::uintmax_t most_bytes) {
  const std::vector<File> all = files();
  for (const File& file : all) {
    std::optional<Checkpoint> checkpoint;
    try {
      checkpoint = read(file, most_bytes);
    } catch (const BadInput& error) {
      log_warning(concat("checkpoint ", file.path, " is skipped: ", error.what()));
      continue;
    }
    remember(all, file.step);
    prune(file.step);
    return checkpoint;
  }
  if (all.empty()) {
    return std::nullopt;
  }
  throw BadInput(concat("none of the ", all.size(), " checkpoints in ", path_,
                        " is of use; expected those of a run of this experiment, or --overwrite in place of "
                        "--resume to start again"));
}

void CheckpointFolder::make_folder() const {
  if (make_own_folder(path_)) {
    Folder(path_.parent_path()).sync();
  }
}

void CheckpointFolder::write(Checkpoint checkpoint, bool best) {
  checkpoint.identity = identity_;
  const phase::Scope scope("checkpoint");
  make_folder();
  const Folder folder(path_, Folder::Links::refused);
  phase::begin("start");
  const std::vector<std::byte> bytes = encode(checkpoint);
  folder.write(name_of(checkpoint.step, false), bytes);
  if (best) {
    folder.write(name_of(checkpoint.step, true), bytes);
    best_ = checkpoint.step;
  }
  if (last_step() != checkpoint.step) {
    good_.push_back(checkpoint.step);
  }
  phase::begin("prune");
  prune(kAny);
}

bool CheckpointFolder::is_kept(const File& file) const {
  if (file.best) {
    return file.step == best_;
  }
  const auto first = good_.end() - static_cast<std::ptrdiff_t>(std::min(keep_, good_.size()));
  return std::find(first, good_.end(), file.step) != good_.end();
}

/// Removes those up to step `last` that are not to be kept, and the half-written files of killed processes.
void CheckpointFolder::prune(std::int64_t last) const {
  const std::vector<File> checkpoints = files();
  const Folder folder(path_, Folder::Links::refused);
  for (const File& file : checkpoints) {
    if (file.step <= last && !is_kept(file)) {
      folder.remove(file.path.filename());
    }
  }
  for (const std::filesystem::path& path : entries()) {
    if (is_leftover(path.filename().string())) {
      folder.remove(path.filename());
    }
  }
}

void CheckpointFolder::clear() {
  good_.clear();
  best_ = -1;
  if (std::filesystem::exists(std::filesystem::symlink_status(path_))) {
    prune(kAny);
  }
}

}  // namespace adapt
