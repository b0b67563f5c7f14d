#include "base/phase.hpp"

#include <atomic>

#include "base/error.hpp"
#include "base/fault.hpp"

namespace adapt::phase {
namespace {

std::atomic<std::int64_t> current_step = 0;
std::atomic<const char*> scope = nullptr;
std::atomic<const char*> scope_of_phase = nullptr;
std::atomic<const char*> phase_name = "start";
std::atomic<std::uint64_t> signs = 0;

std::string full_name(const char* prefix, const char* name) {
  return prefix == nullptr ? name : concat(prefix, ".", name);
}

}  // namespace

void at_step(std::int64_t step) { current_step = step; }

void begin(const char* name) {
  scope_of_phase = scope.load();
  phase_name = name;
  go_on();
  if (fault::is_armed()) {
    fault::strike(full_name(scope, name), current_step);
  }
}

void go_on() { signs.fetch_add(1, std::memory_order_relaxed); }

Scope::Scope(const char* name) { scope = name; }

Scope::~Scope() { scope = nullptr; }

Place place() { return {current_step, full_name(scope_of_phase, phase_name), signs}; }

std::string describe(const Place& place) {
  return place.step > 0 ? concat("phase ", place.phase, " of step ", place.step)
                        : concat("phase ", place.phase, " before the first step");
}

}  // namespace adapt::phase
