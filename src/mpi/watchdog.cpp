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
#include "mpi/communicator.hpp"

namespace adapt::mpi {
namespace {

/// The collective call that the process is in, null outside, and the number of calls so far. The thread looks
/// at them now and then: as long as the number is the same, it is the same call.
std::atomic<const char*> current = nullptr;
std::atomic<std::uint64_t> calls = 0;

/// Ends all ranks from a thread that is not MPI's.
[[noreturn]] void end_all(const char* call, double seconds) {
  log_error(concat("stuck: ", call, " has waited ", seconds,
                   " s for the other ranks (mpi.timeout_s); one of them hangs or is gone"));
  constexpr unsigned kGraceSeconds = 10;
  ::alarm(kGraceSeconds);  // should MPI be too stuck to end
  abort(static_cast<int>(ExitCode::failed));
}

}  // namespace

struct Watchdog::Implementation {
  explicit Implementation(double seconds) : timeout(seconds), thread([this] { watch(); }) {}

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
    constexpr double kLooks = 20;  // within the timeout, so that it is kept to 5 %
    const std::chrono::duration<double> pause(std::min(timeout / kLooks, 1.0));
    std::uint64_t seen = calls;
    Clock::time_point since = Clock::now();
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, pause, [this] { return stop; })) {
      const char* call = current;
      const std::uint64_t number = calls;
      const auto now = Clock::now();
      if (call == nullptr || number != seen) {
        seen = number;
        since = now;
      } else if (std::chrono::duration<double>(now - since).count() > timeout) {
        end_all(call, timeout);
      }
    }
  }

  double timeout;
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::thread thread;  // last: runs as long as all the rest lives
};

Watchdog::Watchdog(double timeout_s)
    : implementation_(timeout_s > 0 ? std::make_unique<Implementation>(timeout_s) : nullptr) {}

Watchdog::~Watchdog() = default;

Waiting::Waiting(const char* name) {
  ++calls;
  current = name;
}

Waiting::~Waiting() { current = nullptr; }

}  // namespace adapt::mpi
