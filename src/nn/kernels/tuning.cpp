#include "nn/kernels/tuning.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace adapt {
namespace {

using Kernels = std::map<std::string, std::string>;

constexpr const char* kMachines = "machines";

/// What stands in the file; empty where there is none.
Json contents(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? parse_json(read_text(path, kSmallFile), path.string())
                                       : Json::object();
}

Kernels kernels_of(const Json& file, const std::string& machine) {
  Kernels kernels;
  const Json* machines = find_member(file, kMachines);
  const Json* known = machines == nullptr ? nullptr : find_member(*machines, machine);
  if (known != nullptr && known->is_object()) {
    for (const auto& [task, kernel] : known->items()) {
      kernels.emplace(task, kernel.is_string() ? kernel.get<std::string>() : "");
    }
  }
  return kernels;
}

}  // namespace

KernelRecord& KernelRecord::of_process() {
  static KernelRecord record;
  return record;
}

std::string KernelRecord::open(const std::filesystem::path& path, const std::string& machine) {
  const std::lock_guard lock(mutex_);
  path_ = path;
  machine_ = machine;
  try {
    kernels_.merge(kernels_of(contents(path), machine));
  } catch (const std::exception& error) {
    return concat("the record of the fastest kernels is made anew: ", error.what());
  }
  return "";
}

void KernelRecord::switch_off() {
  const std::lock_guard lock(mutex_);
  is_on_ = false;
}

bool KernelRecord::is_on() const {
  const std::lock_guard lock(mutex_);
  return is_on_;
}

std::optional<std::string> KernelRecord::fastest(const std::string& task) const {
  const std::lock_guard lock(mutex_);
  const auto found = kernels_.find(task);
  return is_on_ && found != kernels_.end() ? std::optional(found->second) : std::nullopt;
}

void KernelRecord::note(const std::string& task, const std::string& kernel) {
  const std::lock_guard lock(mutex_);
  kernels_[task] = kernel;
  has_news_ = true;
}

void KernelRecord::save() {
  const std::lock_guard lock(mutex_);
  if (path_.empty() || !has_news_) {
    return;
  }
  try {
    write();
    has_news_ = false;
  } catch (const std::exception& error) {
    log_warning(concat("cannot remember which kernels are the fastest: ", error.what(),
                       "; expected a file that can be written under ADAPT_KERNELS, or --no-tune"));
  }
}

void KernelRecord::write() const {
  // Through links: what they lead to is written, not what stands under their name.
  const std::filesystem::path path = std::filesystem::weakly_canonical(std::filesystem::absolute(path_));
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) {
    throw BadInput(concat(path.string(), " is not a regular file"));
  }
  std::filesystem::create_directories(path.parent_path());
  Json file = Json::object();
  try {
    file = contents(path);
  } catch (const Error&) {  // said when it was opened
  }
  Kernels all = kernels_;
  all.merge(kernels_of(file, machine_));
  if (find_member(file, kMachines) == nullptr || !file[kMachines].is_object()) {
    file = {{kMachines, Json::object()}};
  }
  file[kMachines][machine_] = all;
  write_atomically(path, json_text(file));
}

KernelTrials::KernelTrials(std::string task, std::vector<std::string> kernels)
    : task_(std::move(task)),
      kernels_(std::move(kernels)),
      seconds_(kernels_.size(), std::numeric_limits<double>::infinity()) {
  const KernelRecord& record = KernelRecord::of_process();
  if (const auto known = record.fastest(task_)) {
    const auto found = std::find(kernels_.begin(), kernels_.end(), *known);
    if (found != kernels_.end()) {
      winner_ = static_cast<std::size_t>(found - kernels_.begin());
    }
  }
  if (!winner_ && (kernels_.size() < 2 || !record.is_on())) {
    winner_ = 0;
  }
}

std::size_t KernelTrials::next() const { return winner_.value_or(runs_ % kernels_.size()); }

void KernelTrials::ran(double seconds) {
  if (is_decided()) {
    return;
  }
  double& fastest = seconds_[next()];
  fastest = std::min(fastest, seconds);
  if (++runs_ == kTrials * kernels_.size()) {
    winner_ = static_cast<std::size_t>(std::min_element(seconds_.begin(), seconds_.end()) - seconds_.begin());
    KernelRecord::of_process().note(task_, kernels_[*winner_]);
  }
}

}  // namespace adapt
