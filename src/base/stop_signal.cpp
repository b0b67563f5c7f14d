#include "base/stop_signal.hpp"

#include <signal.h>

#include <atomic>

namespace adapt {
namespace {

std::atomic<bool> stop = false;  // any thread may ask
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

void request_stop(int /*signal*/) { stop = true; }

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGUSR1, &action, nullptr);
  ::signal(SIGXFSZ, SIG_IGN);
}

void catch_interrupt() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
}

bool stop_requested() { return stop; }

Stopped::Stopped()
    : Error(ExitCode::stopped, "stopped by a signal before the first step; --resume starts where this did") {}

void check_stop() {
  if (stop_requested()) {
    throw Stopped();
  }
}

}  // namespace adapt
