#include "cli/sweep_end.hpp"

#include <sstream>

#include "base/log.hpp"
#include "base/terminal.hpp"

namespace adapt::cli {
namespace {

/// "6 runs: 4 done (1 before), 1 failed, 1 running elsewhere".
std::string describe(const SweepResult& result) {
  std::string text;
  const auto add = [&](int count, const char* what) {
    if (count > 0) {
      text += concat(text.empty() ? "" : ", ", count, " ", what);
    }
  };
  add(result.done, "done");
  add(result.done_before, "done before");
  add(result.failed, "failed");
  add(result.failed_before, "failed before (--retry failed tries them again)");
  add(result.paused, "stopped at a rung");
  add(result.stopped, "stopped, to be resumed");
  add(result.interrupted, "interrupted, to be resumed");
  add(result.elsewhere, "running elsewhere");
  add(result.unfit, "left, each for its own reason");
  add(result.left, "left as they are");
  return text.empty() ? "nothing to do" : text;
}

}  // namespace

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

ExitCode finish_sweep(SweepResult result, int left) {
  result.unfit += left;
  print_line(describe(result));
  if (!result.hindrance.empty()) {
    log_error(concat("the sweep stops, as no run could go on here: ", result.hindrance));
    return ExitCode::failed;
  }
  if (result.stopped + result.interrupted + result.left > 0) {
    return ExitCode::stopped;
  }
  return result.failed + result.failed_before + result.unfit > 0 ? ExitCode::failed : ExitCode::done;
}

}  // namespace adapt::cli
