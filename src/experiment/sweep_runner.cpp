#include "experiment/sweep_runner.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <list>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/process.hpp"
#include "base/stop_signal.hpp"
#include "experiment/claim.hpp"
#include "experiment/ending.hpp"
#include "experiment/frozen.hpp"
#include "experiment/interruption.hpp"
#include "experiment/report.hpp"

namespace adapt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause{20};
/// A signal that comes before a training listens is lost, or ends it: it is sent again.
constexpr std::chrono::seconds kSignalAgain{3};

/// Where there was no more to do, somebody else's runs may have made some since.
constexpr std::chrono::seconds kAskAgain{2};

/// A training that runs.
struct Training {
  const GridRun* run;
  HeldClaim claim;
  std::unique_ptr<ChildProcess> process;
  AttemptBegin before;
  Clock::time_point start;
  std::size_t place;  ///< of RunnerOptions::cores
};

std::uintmax_t size_of(const std::filesystem::path& path) {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

std::string name_of(const GridRun& run) { return concat(run.identity, " ", run.label); }

std::string left_line(const std::string& name, const std::string& reason) {
  return concat("left ", name, " as it is: ", reason);
}

/// Works through a list of runs.
class Runner {
 public:
  Runner(const RunStore& store, const std::vector<GridRun>& runs, const RunnerOptions& options,
         const std::function<void(const std::string&)>& report)
      : store_(store), options_(options), report_(report) {
    for (const GridRun& run : runs) {
      waiting_.push_back(&run);
    }
  }

  SweepResult run() {
    for (fill_places(); !active_.empty() || (!waiting_.empty() && begins_new()); fill_places()) {
      settle_ended();
      if (stop_requested()) {
        pass_signal_on();
      }
      std::this_thread::sleep_for(kPause);
    }
    result_.left += static_cast<int>(waiting_.size());
    return result_;
  }

 private:
  [[nodiscard]] bool begins_new() const { return !stop_requested() && result_.hindrance.empty(); }

  void fill() {
    // Each waiting run is looked at once in a round; those that were in a race go to the end.
    for (std::size_t looks = waiting_.size(); looks > 0; --looks) {
      if (!begins_new() || active_.size() >= static_cast<std::size_t>(options_.jobs)) {
        return;
      }
      const GridRun* run = waiting_.front();
      waiting_.pop_front();
      unless_hindered(name_of(*run), [&] { begin(*run); });
    }
  }

  void fill_places() {
    fill();
    if (options_.more && Clock::now() >= ask_again_) {
      ask_for_more();
    }
  }

  /// Keeps idle places busy with runs that nobody counts on here.
  void ask_for_more() {
    while (waiting_.empty() && begins_new() && active_.size() < static_cast<std::size_t>(options_.jobs)) {
      std::optional<GridRun> run = options_.more();
      if (!run) {
        ask_again_ = Clock::now() + kAskAgain;  // or when one has ended
        return;
      }
      waiting_.push_back(&more_.emplace_back(std::move(*run)));
      fill();
    }
  }

  /// The first place that no training has.
  [[nodiscard]] std::size_t free_place() const {
    std::size_t place = 0;
    while (std::ranges::any_of(active_, [&](const Training& other) { return other.place == place; })) {
      ++place;
    }
    return place;
  }

  /// Whether nothing is to be done for a run in this state; counts it.
  bool is_settled(RunState state) {
    switch (state) {
      case RunState::done:
        ++result_.done_before;
        return true;
      case RunState::failed:
        ++result_.failed_before;
        return true;
      case RunState::running:
        ++result_.elsewhere;
        return true;
      case RunState::planned:
      case RunState::pruned:
      case RunState::resumable:
        break;
    }
    return false;
  }

  void begin(const GridRun& run) {
    if (is_settled(store_.state(run.identity))) {
      return;
    }
    store_.make_folder(run.identity);  // not where that is a link: nothing is written through one
    std::optional<HeldClaim> claim = HeldClaim::take(store_.folder(run.identity));
    if (!claim) {
      waiting_.push_back(&run);  // somebody was faster, or has just gone: the next look tells
      return;
    }
    if (is_settled(store_.result(run.identity))) {
      return;  // somebody finished it between the look and the claim
    }
    store_.prepare(run.identity, run.configuration);
    note_promotion(store_.folder(run.identity));
    const std::filesystem::path output = store_.output(run.identity);
    const AttemptBegin before = {size_of(output), killed_for_memory()};
    const std::size_t place = free_place();
    const std::vector<int> cores = place < options_.cores.size() ? options_.cores[place] : std::vector<int>();
    clear_report(store_.report(run.identity));
    std::vector<std::string> command = training_command(store_, run, options_);
    command.insert(command.end(), {"--claim", claim->token()});
    auto process = std::make_unique<ChildProcess>(command, output, options_.environment, cores);
    report_(concat("started ", name_of(run)));
    active_.push_back({&run, std::move(*claim), std::move(process), before, Clock::now(), place});
  }

  void settle_ended() {
    for (auto training = active_.begin(); training != active_.end();) {
      const std::optional<int> code = training->process->poll();
      if (code) {
        const std::string name = name_of(*training->run);
        unless_hindered(name, [&] { settle(*training, name, *code); });
        training = active_.erase(training);
        ask_again_ = {};
      } else {
        ++training;
      }
    }
  }

  void settle(const Training& training, const std::string& name, int code) {
    const std::string& identity = training.run->identity;
    const EndedAttempt end = judge(store_, identity, training_command(store_, *training.run, options_),
                                   training.before, code, stop_requested());
    switch (end.ending) {
      case Ending::done: {
        ++result_.done;
        clear_interruption(store_.folder(identity));
        const std::chrono::duration<double> seconds = Clock::now() - training.start;
        report_(
            concat("done ", name, " in ", std::chrono::round<std::chrono::seconds>(seconds).count(), " s"));
        break;
      }
      case Ending::stopped:
        if (is_at_rung(*training.run)) {
          ++result_.paused;
          report_(concat("stopped ", name, " at the rung of epoch ", training.run->until));
          break;
        }
        ++result_.stopped;
        note_requeue(identity);
        report_(concat("stopped ", name, ", to be resumed"));
        break;
      case Ending::failed:
        fail(identity, name, end, end.message);
        break;
      case Ending::unfit:
        leave(name, end.message);
        break;
      case Ending::interrupted:
        interrupt(identity, name, end);
        break;
      case Ending::hindered:
        for (const std::string& line : end.words) {
          report_("  | " + line);
        }
        ++result_.left;
        hinder(concat(name, ": ", end.message));
        break;
    }
    clear_report(store_.report(identity));
  }

  /// Whether a run was stopped at its rung, which is noted then.
  [[nodiscard]] bool is_at_rung(const GridRun& run) const {
    if (!options_.prune || run.until == 0) {
      return false;
    }
    note_rung(store_.folder(run.identity), *options_.prune, run.until);
    return store_.result(run.identity) == RunState::pruned;
  }

  void fail(const std::string& identity, const std::string& name, const EndedAttempt& end,
            const std::string& message) {
    store_.write_failure(identity, {end.exit_code, message, utc_now(), store_.requeues(identity), end.reason,
                                    nodes_here(), job_memory()});
    ++result_.failed;
    report_(concat("failed ", name, ": ", message));
  }

  /// Nothing is noted: on another machine, or on this one later, the run may begin.
  void leave(const std::string& name, const std::string& message) {
    ++result_.unfit;
    report_(left_line(name, message));
  }

  void interrupt(const std::string& identity, const std::string& name, const EndedAttempt& end) {
    const Interruption so_far = note_interruption(store_.folder(identity), end.message, end.reason);
    if (so_far.count >= kMostInterruptions) {
      fail(identity, name, end,
           concat(end.message, "; ", so_far.count, " times in a row without a new checkpoint"));
      return;
    }
    ++result_.interrupted;
    note_requeue(identity);
    report_(concat("interrupted ", name, ", to be resumed: ", end.message));
  }

  void note_requeue(const std::string& identity) const {
    if (options_.requeues) {
      store_.set_requeues(identity, store_.requeues(identity) + 1);
    }
  }

  /// Nothing new begins: what hindered this run is going to hinder the others.
  void hinder(const std::string& reason) {
    result_.hindrance = result_.hindrance.empty() ? reason : result_.hindrance;
  }

  /// Does `work` on a run; a failure of the machine is a hindrance, while what is in the run's own way is its
  /// own affair.
  template <class Work>
  void unless_hindered(const std::string& name, Work&& work) {
    try {
      if (const auto obstacle = obstacle_to(work)) {
        leave(name, *obstacle);
      }
    } catch (const MachineFailure& failure) {
      ++result_.left;
      hinder(concat(name, ": ", failure.what()));
    }
  }

  void pass_signal_on() {
    if (signalled_ && Clock::now() - *signalled_ < kSignalAgain) {
      return;
    }
    signalled_ = Clock::now();
    for (const Training& training : active_) {
      training.process->signal(SIGUSR1);
    }
  }

  const RunStore& store_;
  const RunnerOptions& options_;
  const std::function<void(const std::string&)>& report_;
  std::deque<const GridRun*> waiting_;
  std::list<Training> active_;
  std::deque<GridRun> more_;  ///< that options_.more gave
  Clock::time_point ask_again_ = {};
  std::optional<Clock::time_point> signalled_;
  SweepResult result_;
};

}  // namespace

std::vector<std::vector<int>> share_cores(const std::vector<int>& available, int jobs, int width) {
  std::vector<std::vector<int>> places;
  if (static_cast<double>(jobs) * width > static_cast<double>(available.size())) {
    return places;
  }
  for (auto first = available.begin(); places.size() < static_cast<std::size_t>(jobs); first += width) {
    places.emplace_back(first, first + width);
  }
  return places;
}

std::vector<std::string> local_launcher(int ranks, int threads, int jobs) {
  if (ranks == 1) {
    return {};
  }
  std::vector<std::string> words = {"mpirun", "-n", std::to_string(ranks)};
  const auto add = [&](std::vector<std::string> more) {
    words.insert(words.end(), more.begin(), more.end());
  };
  if (::geteuid() == 0) {
    add({"--allow-run-as-root"});
  }
  if (std::getenv("OMPI_MCA_btl_tcp_if_include") == nullptr &&
      std::getenv("OMPI_MCA_btl_tcp_if_exclude") == nullptr) {
    add({"--mca", "btl_tcp_if_include", "lo"});  // the machine may have no network, or one that is filtered
  }
  const double busy = static_cast<double>(ranks) * threads * jobs;  // which no number is too large for
  const bool crowded = busy > std::thread::hardware_concurrency();
  if (crowded) {
    add({"--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"});
  } else if (jobs > 1) {
    add({"--bind-to", "none"});  // each mpirun would take the first cores
  } else {
    add({"--bind-to", "core", "--map-by", concat("slot:PE=", threads)});
  }
  return words;
}

int leave_hindered(std::vector<GridRun>& runs, const std::function<void(GridRun&)>& work,
                   const std::function<void(const std::string&)>& report) {
  std::vector<GridRun> others;
  for (GridRun& run : runs) {
    if (const auto obstacle = obstacle_to([&] { work(run); })) {
      report(left_line(name_of(run), *obstacle));
    } else {
      others.push_back(std::move(run));
    }
  }
  const std::size_t left = runs.size() - others.size();
  runs = std::move(others);
  return static_cast<int>(left);
}

std::vector<std::string> training_command(const RunStore& store, const GridRun& run,
                                          const RunnerOptions& options) {
  std::vector<std::string> command = options.launcher;
  command.insert(command.end(), {options.program, "train", store.experiment(run.identity).string(), "--out",
                                 store.folder(run.identity).string(), "--resume", "--report",
                                 store.report(run.identity).string()});
  if (run.until > 0) {
    command.insert(command.end(), {"--until-epoch", std::to_string(run.until)});
  }
  if (options.frozen) {
    command.insert(command.end(), {"--frozen", frozen_path(store, run.identity).string()});
  }
  return command;
}

SweepResult run_sweep(const RunStore& store, const std::vector<GridRun>& runs, const RunnerOptions& options,
                      const std::function<void(const std::string&)>& report) {
  return Runner(store, runs, options, report).run();
}

}  // namespace adapt
