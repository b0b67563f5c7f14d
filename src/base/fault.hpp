#pragma once

#include <cstdint>

/// Failures on purpose, for tests of what the program does about them. The environment variable ADAPT_FAULT
/// names one: ACTION,phase=NAME[,rank=N][,step=N], without rank or step any. Actions: fail (an error), kill
/// (SIGKILL), stop (SIGTERM to itself), stall (sleep for ever), memory (there is no more). Without the
/// variable a point costs a comparison. All calls from one thread.
namespace adapt::fault {

/// Reads ADAPT_FAULT. Throws BadInput where it is not as above.
void arm(int rank);

/// Points from now on belong to this step.
void at_step(std::int64_t step);

/// A place where the armed fault strikes if it is the one. Throws Failure for the action fail.
void point(const char* phase);

/// Points in its scope bear its name in front: "checkpoint.write".
class Phase {
 public:
  explicit Phase(const char* name);
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;
};

}  // namespace adapt::fault
