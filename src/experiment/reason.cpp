#include "experiment/reason.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>

#include "base/process.hpp"

namespace adapt {
namespace {

constexpr int kSignalled = 128;

/// What Slurm, its steps' daemon and mpirun print, and what it means. None of them has a code for it.
struct Words {
  const char* text;
  Reason reason;
};
constexpr std::array kWords = {
    Words{"oom_kill event", Reason::oom},
    Words{"oom-kill event", Reason::oom},
    Words{"OOM Killed", Reason::oom},
    Words{"Out Of Memory", Reason::oom},
    Words{"exceeded memory limit", Reason::oom},
    Words{"DUE TO TIME LIMIT", Reason::timeout},
    Words{"DUE TO NODE FAILURE", Reason::node},
    Words{"Node failure on", Reason::node},
    Words{"lost communication with a remote daemon", Reason::node},
};

std::int64_t number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoll(text);
}

}  // namespace

Reason reason_said(ExitCode code, Cause cause) {
  if (cause == Cause::memory) {
    return Reason::oom;
  }
  if (cause == Cause::numbers) {
    return Reason::nan;
  }
  return code == ExitCode::bad_input ? Reason::input : Reason::bug;
}

Reason reason_seen(const std::vector<std::string>& lines, int exit_code, bool killed_for_memory) {
  for (const Words& words : kWords) {
    if (std::ranges::any_of(
            lines, [&](const std::string& line) { return line.find(words.text) != std::string::npos; })) {
      return words.reason;
    }
  }
  return killed_for_memory && exit_code == kSignalled + SIGKILL ? Reason::oom : Reason::unknown;
}

Reason reason_of_state(const std::string& state) {
  if (state == "OUT_OF_MEMORY") {
    return Reason::oom;
  }
  if (state == "TIMEOUT") {
    return Reason::timeout;
  }
  return state == "NODE_FAIL" || state == "BOOT_FAIL" ? Reason::node : Reason::unknown;
}

std::string nodes_here() {
  const char* nodes = std::getenv("SLURM_JOB_NODELIST");
  return nodes == nullptr || *nodes == '\0' ? host_name() : nodes;
}

std::int64_t job_memory() {
  const std::int64_t node = number_in("SLURM_MEM_PER_NODE");
  return node > 0 ? node : number_in("SLURM_MEM_PER_CPU") * number_in("SLURM_CPUS_ON_NODE");
}

}  // namespace adapt
