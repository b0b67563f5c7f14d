#include "mpi/watchdog.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/phase.hpp"
#include "base/process.hpp"
#include "mpi/communicator.hpp"

namespace adapt::mpi {
namespace {

std::atomic<double> timeout_s = Options().timeout_s;
/// The MPI call that the process waits in, null outside.
std::atomic<const char*> current = nullptr;

/// How long a rank may wait for others, in timeouts: one of them may have been at work for nearly one when it
/// began to hang, and has another one until it says so itself. Higher ranks leave the word to lower ones.
double patience(int rank) {
  constexpr double kWaits = 2;
  constexpr double kHigher = 0.1;
  constexpr int kMost = 10;
  return kWaits + kHigher * std::clamp(rank, 0, kMost);
}

/// Ends all ranks from a thread that is not MPI's.
[[noreturn]] void end_all(const std::string& message) {
  log_error(message);
  constexpr unsigned kGraceSeconds = 10;
  ::alarm(kGraceSeconds);  // should MPI be too stuck to end
  abort(static_cast<int>(ExitCode::failed));
}

}  // namespace

struct Watchdog::Implementation {
  Implementation() : thread([this] { watch(); }) {}

  ~Implementation() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_one();
    thread.join();
  }

  void watch() {
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;
    std::uint64_t seen = 0;
    Seconds silence(0);
    Clock::time_point before = Clock::now();
    std::unique_lock lock(mutex);
    while (true) {
      const double limit = timeout_s;
      constexpr double kLooks = 20;  // within the timeout, so that it is kept to 5 %
      const Seconds pause(limit > 0 ? std::min(limit / kLooks, 1.0) : 1.0);
      if (wake.wait_for(lock, pause, [this] { return stop; })) {
        return;
      }
      // More than a pause has passed where the process, this thread included, was suspended.
      silence += std::min<Seconds>(Clock::now() - before, 2 * pause);
      before = Clock::now();
      const std::uint64_t signs = phase::place().signs;
      if (signs != seen) {
        seen = signs;
        silence = Seconds(0);
      }
      judge(silence.count(), limit);
    }
  }

  void judge(double silence, double limit) const {
    const char* call = current;
    if (limit <= 0 || silence <= limit * (call == nullptr ? 1 : patience(rank))) {
      return;
    }
    const std::string who =
        concat(kStuck, rank < 0 ? "a rank" : concat("rank ", rank), " (host ", host_name(), ")");
    const std::string where = phase::describe(phase::place());
    end_all(call == nullptr
                ? concat(who, " has given no sign of life for ", limit, " s (mpi.timeout_s) in ", where)
                : concat(who, " has waited ", limit * patience(rank), " s in ", call, " after ", where,
                         " for a rank that hangs or is gone; mpi.timeout_s is ", limit));
  }

  std::atomic<int> rank = -1;  // not known yet
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::thread thread;  // last: runs as long as all the rest lives
};

Watchdog::Watchdog() : implementation_(std::make_unique<Implementation>()) {}

Watchdog::~Watchdog() = default;

void Watchdog::set_rank(int rank) { implementation_->rank = rank; }

void set_timeout(double seconds) { timeout_s = seconds; }

Waiting::Waiting(const char* name) {
  phase::go_on();
  current = name;
}

Waiting::~Waiting() {
  current = nullptr;
  phase::go_on();
}

}  // namespace adapt::mpi
