#pragma once

#include <cstdint>
#include <string>

/// What this process is at: the running step, and a phase of it. The beginning of a phase is a sign of life,
/// by which a process that hangs is told from one that works (mpi/watchdog.hpp), and the place where a
/// failure on purpose strikes (base/fault.hpp). Phases begin in one thread, and names are literals.
namespace adapt::phase {

/// Phases from now on belong to this step; 0: to what comes before the first one.
void at_step(std::int64_t step);

/// A phase begins. Throws Failure where a fault on purpose says so.
void begin(const char* name);

/// A sign of life from within a long phase; from any thread. Costs an atomic addition.
void go_on();

/// Phases that begin in its scope bear its name in front: "checkpoint.write". Scopes do not nest.
class Scope {
 public:
  explicit Scope(const char* name);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
};

/// What the process is at, as seen from another thread.
struct Place {
  std::int64_t step = 0;
  std::string phase;        ///< with the name of its scope; "start" before the first one
  std::uint64_t signs = 0;  ///< of life, so far
};
Place place();

/// "phase forward of step 3".
std::string describe(const Place& place);

}  // namespace adapt::phase
