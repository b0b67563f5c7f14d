#pragma once

#include <cstdint>
#include <string>

/// What this process is at, for messages, and the places where a failure on purpose strikes (base/fault.hpp).
/// Phases begin in one thread, and names are literals.
namespace adapt::phase {

/// A phase begins. Throws Failure where a fault on purpose says so.
void begin(const char* name);

/// What the process is at.
struct Place {
  std::int64_t step = 0;  ///< 0: before the first one
  std::string phase;      ///< "start" before the first one
};
Place place();

/// "phase forward of step 3".
std::string describe(const Place& place);

}  // namespace adapt::phase
