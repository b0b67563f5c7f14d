#include "experiment/sweep_runner.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "base/stop_signal.hpp"
#include "experiment/claim.hpp"

namespace adapt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause{20};
/// A signal that comes before a training listens is lost, or ends it: it is sent again.
constexpr std::chrono::seconds kSignalAgain{3};
constexpr int kNotFound = 127;
constexpr int kSignalled = 128;

/// A training that runs.
struct Training {
  const GridRun* run;
  HeldClaim claim;
  std::unique_ptr<ChildProcess> process;
  std::uintmax_t output_before;  ///< bytes of output.txt when it began
  Clock::time_point start;
};

std::uintmax_t size_of(const std::filesystem::path& path) {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(path, missing);
  return missing ? 0 : size;
}

/// The last complaint in the program's output from byte `from` on: its own, else that of srun or mpirun, who
/// only know that there was one. Empty where there is none.
std::string last_error(const std::filesystem::path& output, std::uintmax_t from) {
  constexpr std::string_view kMark = "error: ";
  constexpr std::uintmax_t kEnd = std::uintmax_t{1} << 20U;
  const std::uintmax_t size = size_of(output);
  std::ifstream text(output);
  text.seekg(static_cast<std::streamoff>(std::max(from, size > kEnd ? size - kEnd : 0)));
  std::string own;
  std::string other;
  for (std::string line; std::getline(text, line);) {
    if (const std::size_t at = line.find(kMark); at != std::string::npos) {
      (line.starts_with("adapt: ") ? own : other) = line.substr(at + kMark.size());
    }
  }
  return own.empty() ? other : own;
}

std::string describe_exit(int code, const std::vector<std::string>& command) {
  if (code == kNotFound) {
    return concat("cannot start ", command[0]);
  }
  return code > kSignalled ? concat("ended by signal ", code - kSignalled) : concat("exit code ", code);
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
    while (!active_.empty() || (!waiting_.empty() && !stop_requested())) {
      fill();
      settle_ended();
      if (stop_requested()) {
        pass_signal_on();
      }
      std::this_thread::sleep_for(kPause);
    }
    result_.left = static_cast<int>(waiting_.size());
    return result_;
  }

 private:
  void fill() {
    // Each waiting run is looked at once in a round; those that were in a race go to the end.
    for (std::size_t looks = waiting_.size(); looks > 0; --looks) {
      if (stop_requested() || active_.size() >= static_cast<std::size_t>(options_.jobs)) {
        return;
      }
      const GridRun* run = waiting_.front();
      waiting_.pop_front();
      begin(*run);
    }
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
      case RunState::resumable:
        break;
    }
    return false;
  }

  void begin(const GridRun& run) {
    if (is_settled(store_.state(run.identity))) {
      return;
    }
    if (store_.is_linked(run.identity)) {
      ++result_.failed;
      report_(concat("failed ", run.identity, " ", run.label, ": ", store_.folder(run.identity).string(),
                     " is a link; expected a folder, as nothing is written through links"));
      return;
    }
    store_.make_folder(run.identity);
    std::optional<HeldClaim> claim = HeldClaim::take(store_.folder(run.identity));
    if (!claim) {
      waiting_.push_back(&run);  // somebody was faster, or has just gone: the next look tells
      return;
    }
    if (is_settled(store_.result(run.identity))) {
      return;  // somebody finished it between the look and the claim
    }
    store_.prepare(run.identity, run.configuration);
    const std::filesystem::path output = store_.output(run.identity);
    const std::uintmax_t before = size_of(output);
    std::vector<std::string> command = command_of(run);
    command.insert(command.end(), {"--claim", claim->token()});
    auto process = std::make_unique<ChildProcess>(command, output);
    claim->set_child(process->id());
    report_(concat("started ", run.identity, " ", run.label));
    active_.push_back({&run, std::move(*claim), std::move(process), before, Clock::now()});
  }

  [[nodiscard]] std::vector<std::string> command_of(const GridRun& run) const {
    std::vector<std::string> command = options_.launcher;
    command.insert(command.end(), {options_.program, "train", store_.experiment(run.identity).string(),
                                   "--out", store_.folder(run.identity).string(), "--resume"});
    return command;
  }

  void settle_ended() {
    for (auto training = active_.begin(); training != active_.end();) {
      const std::optional<int> code = training->process->poll();
      if (code) {
        settle(*training, *code);
        training = active_.erase(training);
      } else {
        ++training;
      }
    }
  }

  void settle(const Training& training, int code) {
    const std::string& identity = training.run->identity;
    const std::string name = concat(identity, " ", training.run->label);
    if (store_.result(identity) == RunState::done) {
      ++result_.done;
      const std::chrono::duration<double> seconds = Clock::now() - training.start;
      report_(concat("done ", name, " in ", std::chrono::round<std::chrono::seconds>(seconds).count(), " s"));
      return;
    }
    const bool stopped = code == static_cast<int>(ExitCode::stopped);
    if (stopped || (stop_requested() && code != static_cast<int>(ExitCode::bad_input))) {
      if (options_.requeues) {
        store_.set_requeues(identity, store_.requeues(identity) + 1);
      }
      ++result_.stopped;
      report_(concat("stopped ", name, ", to be resumed"));
      return;
    }
    std::string message = last_error(store_.output(identity), training.output_before);
    if (code == 0) {
      message = "it ended with exit code 0, but without DONE";
    } else if (message.empty()) {
      message = describe_exit(code, command_of(*training.run));
    }
    store_.write_failure(identity, {code, message, utc_now(), store_.requeues(identity)});
    ++result_.failed;
    report_(concat("failed ", name, ": ", message));
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
  std::optional<Clock::time_point> signalled_;
  SweepResult result_;
};

}  // namespace

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

SweepResult run_sweep(const RunStore& store, const std::vector<GridRun>& runs, const RunnerOptions& options,
                      const std::function<void(const std::string&)>& report) {
  return Runner(store, runs, options, report).run();
}

}  // namespace adapt
