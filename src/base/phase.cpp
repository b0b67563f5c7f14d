#include "base/phase.hpp"

#include <atomic>

#include "base/error.hpp"
#include "base/fault.hpp"

namespace adapt::phase {
namespace {

std::atomic<const char*> phase_name = "start";

}  // namespace

void begin(const char* name) {
  phase_name = name;
  fault::point(name);
}

Place place() { return {0, phase_name.load()}; }

std::string describe(const Place& place) {
  return place.step > 0 ? concat("phase ", place.phase, " of step ", place.step)
                        : concat("phase ", place.phase, " before the first step");
}

}  // namespace adapt::phase
