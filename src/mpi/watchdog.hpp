#pragma once

#include <memory>

namespace adapt::mpi {

/// `mpi`: how ranks deal with each other.
struct Options {
  double timeout_s = 1800;  ///< longest wait in one collective call; 0: for ever
};

/// While it lives, a thread watches the collective calls of this process. One that takes longer than
/// `timeout_s` (because another rank is stuck or gone) ends all ranks with a message and exit code 1. It
/// measures one wait, not the run: it has to be longer than what ranks may be apart, such as rank 0 while it
/// writes to disk. One object at a time.
class Watchdog {
 public:
  explicit Watchdog(double timeout_s);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;  // null: no timeout
};

/// In its scope this process is in the collective call `name` (a literal). Calls do not nest.
class Waiting {
 public:
  explicit Waiting(const char* name);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
};

}  // namespace adapt::mpi
