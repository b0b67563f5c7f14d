#include "base/fault.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <new>
#include <sstream>
#include <string>
#include <system_error>

#include "base/error.hpp"

namespace adapt::fault {
namespace {

constexpr const char* kVariable = "ADAPT_FAULT";
constexpr const char* kFalsify = "falsify";

struct State {
  std::string action;  // of the armed fault; empty: none
  std::string phase;
  std::int64_t step = -1;  // -1: any
};

State& state() {
  static State instance;
  return instance;
}

[[noreturn]] void refuse(const std::string& text) {
  throw BadInput(concat("environment variable ", kVariable, " is '", text,
                        "'; expected ACTION,phase=NAME[,rank=N][,step=N] with an action of fail, kill, stop, "
                        "stall, suspend, slow, memory, falsify"));
}

std::int64_t number(const std::string& value, const std::string& text) {
  std::int64_t result = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), result);
  if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() || result < 0) {
    refuse(text);
  }
  return result;
}

/// The fault that `text` names and, beside it, the rank that it is for (-1: any).
std::int64_t parse(const std::string& text, State& fault) {
  std::istringstream words(text);
  std::string word;
  std::int64_t rank = -1;
  std::getline(words, fault.action, ',');
  while (std::getline(words, word, ',')) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string key = word.substr(0, equals);
    const std::string value = word.substr(std::min(equals + 1, word.size()));
    if (key == "phase") {
      fault.phase = value;
    } else if (key == "rank") {
      rank = number(value, text);
    } else if (key == "step") {
      fault.step = number(value, text);
    } else {
      refuse(text);
    }
  }
  const auto actions = {"fail", "kill", "stop", "stall", "suspend", "slow", "memory", kFalsify};
  if (fault.phase.empty() || std::find(actions.begin(), actions.end(), fault.action) == actions.end()) {
    refuse(text);
  }
  return rank;
}

[[noreturn]] void stall() {
  while (true) {
    ::pause();
  }
}

void act(const State& fault, std::int64_t step) {
  constexpr useconds_t kSlow = 500'000;  // microseconds
  if (fault.action == "fail") {
    throw Failure(concat("fault on purpose in phase ", fault.phase, " of step ", step, " (", kVariable, ")"));
  }
  if (fault.action == "memory") {
    throw std::bad_alloc();
  }
  if (fault.action == "stall") {
    stall();
  }
  if (fault.action == "slow") {
    ::usleep(kSlow);
    return;
  }
  const int suspend_or_stop = fault.action == "suspend" ? SIGSTOP : SIGTERM;
  ::kill(::getpid(), fault.action == "kill" ? SIGKILL : suspend_or_stop);
}

}  // namespace

void arm(int rank) {
  const char* text = std::getenv(kVariable);
  State fault;
  if (text != nullptr && *text != '\0') {
    const std::int64_t chosen = parse(text, fault);
    if (chosen >= 0 && chosen != rank) {
      fault = State();
    }
  }
  state() = fault;
}

bool is_armed() { return !state().action.empty(); }

bool falsifies(const char* phase) { return state().action == kFalsify && state().phase == phase; }

void strike(const std::string& phase, std::int64_t step) {
  const State& armed = state();
  if (armed.action != kFalsify && armed.phase == phase && (armed.step < 0 || armed.step == step)) {
    act(armed, step);
  }
}

}  // namespace adapt::fault
