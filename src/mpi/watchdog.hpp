#pragma once

#include <memory>

namespace adapt::mpi {

/// `mpi`: how ranks deal with each other.
struct Options {
  double timeout_s = 1800;  ///< longest time of a rank without a sign of life; 0: for ever
};

/// What the Watchdog's last word on a run begins with.
inline constexpr const char* kStuck = "stuck: ";

/// While it lives, a thread watches this process. One that gives no sign of life (base/phase.hpp) for longer
/// than the timeout ends all ranks with a message that says where it is, and exit code 1; a long piece of
/// work that gives signs may take as long as it needs. A rank that waits in MPI may do so twice as long, and
/// a little longer: a rank that hangs speaks for itself, and only one that cannot (stopped, its machine gone)
/// is missed by the others, the lowest of whom speaks first. Time in which the process itself was suspended
/// does not count. One object at a time.
class Watchdog {
 public:
  /// With the timeout of Options, until set_timeout().
  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// As soon as MPI has said which one this process is.
  void set_rank(int rank);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// From now on the Watchdog waits so long; 0: for ever.
void set_timeout(double seconds);

/// In its scope this process is in the MPI call `name` (a literal). Calls do not nest.
class Waiting {
 public:
  explicit Waiting(const char* name);
  ~Waiting();
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
};

}  // namespace adapt::mpi
