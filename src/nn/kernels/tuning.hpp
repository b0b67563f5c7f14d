#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace adapt {

/// Which of several kernels does a task in the least time, as measured on a machine. All of them are exact,
/// so what stands here decides on seconds and on nothing else: it may be lost, or be another machine's.
class KernelRecord {
 public:
  /// The one that the products of this process ask and tell; it is in memory until it is given a file.
  static KernelRecord& of_process();

  /// Reads what the file says of `machine`, any words that tell it from others, and saves to it from now on.
  /// A file that is missing is empty; one that makes no sense is, too, and what is wrong with it is returned.
  [[nodiscard]] std::string open(const std::filesystem::path& path, const std::string& machine);
  /// From now on nothing is measured: the kernel that is named first does each task.
  void switch_off();
  [[nodiscard]] bool is_on() const;

  [[nodiscard]] std::optional<std::string> fastest(const std::string& task) const;
  void note(const std::string& task, const std::string& kernel);
  /// Writes what is known to the file, with the tasks that others have written there; nothing where nothing
  /// was noted. A file that cannot be written is a warning.
  void save();

 private:
  void write() const;

  mutable std::mutex mutex_;
  std::filesystem::path path_;
  std::string machine_;
  std::map<std::string, std::string> kernels_;  ///< by task
  bool is_on_ = true;
  bool has_news_ = false;
};

/// Several kernels compete for a task: each does it a few times, in turn, and the one with the fastest of its
/// times keeps it. Nobody is tried where KernelRecord::of_process() knows who is the fastest, or is switched
/// off.
class KernelTrials {
 public:
  /// `kernels` have names of their own; without one of them there is nothing to do.
  KernelTrials(std::string task, std::vector<std::string> kernels);

  /// The kernel that does the task next.
  [[nodiscard]] std::size_t next() const;
  /// Whether that will not change any more.
  [[nodiscard]] bool is_decided() const { return winner_.has_value(); }
  /// It did it in so many seconds.
  void ran(double seconds);

 private:
  static constexpr std::size_t kTrials = 4;  // of each; the first ones find cold caches

  std::string task_;
  std::vector<std::string> kernels_;
  std::vector<double> seconds_;  ///< by kernel: of its fastest run
  std::size_t runs_ = 0;
  std::optional<std::size_t> winner_;
};

}  // namespace adapt
