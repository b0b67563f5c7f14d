#include <malloc.h>

#include <array>
#include <exception>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/failure_text.hpp"
#include "base/isolated.hpp"
#include "base/log.hpp"
#include "base/suggest.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/parallel.hpp"
#include "cli/versions.hpp"

namespace {

using adapt::cli::Command;

constexpr std::array kCommands = {
    Command{"train", "train a model as an experiment file says", adapt::cli::train, true},
    Command{"evaluate", "accuracy of a finished run's model on its test set", adapt::cli::evaluate, true},
    Command{"export", "a finished run's model for other programs", adapt::cli::export_model, false},
    Command{"compare", "whether two runs took the same trajectory, bit for bit", adapt::cli::compare, false},
    Command{"bench", "how fast training steps and kernels are on this machine", adapt::cli::bench, true},
    Command{"sweep", "grids of experiments: list, run, submit to Slurm", adapt::cli::sweep, true},
    Command{"info", "what this program is built from, or what a run holds", adapt::cli::info, false},
    Command{"analyse", "reports, tables and figures of runs", adapt::cli::analyse, false},
};

void print_help() {
  std::string text =
      "usage: adapt COMMAND ...\n\n"
      "Distributed training with per-layer adaptive fixed-point precision (AdaPT).\n\nCommands:\n";
  for (const Command& command : kCommands) {
    text += adapt::concat("  ", command.name, std::string(12 - std::string(command.name).size(), ' '),
                          command.summary, "\n");
  }
  adapt::print_text(text +
                    "\n`adapt COMMAND --help` tells more, `adapt --version` what the program is made of. "
                    "Exit codes: 0 done, 1 failed, 2 bad input, 75 stopped, "
                    "resumable.\n");
}

adapt::ExitCode dispatch(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    print_help();
    return arguments.empty() ? adapt::ExitCode::bad_input : adapt::ExitCode::done;
  }
  if (arguments[0] == "--version") {
    adapt::print_text(adapt::cli::version_text());
    return adapt::ExitCode::done;
  }
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (command.name == arguments[0]) {
      if (!command.is_parallel) {
        adapt::cli::refuse_ranks("adapt " + arguments[0]);
        adapt::configure_log(0, adapt::cli::told_log_level());
      }
      return command.run({arguments.begin() + 1, arguments.end()});
    }
    names.emplace_back(command.name);
  }
  const auto meant = adapt::nearest(arguments[0], names);
  throw adapt::BadInput(adapt::concat("unknown command '", arguments[0], "'",
                                      meant ? "; did you mean '" + *meant + "'?" : "", "; see adapt --help"));
}

/// Large blocks that are freed go back to the system: left alone, glibc raises its limit with the first one,
/// and the heap keeps what only the start of a run needed.
void return_large_blocks() {
  constexpr int kLarge = 1 << 17;
  mallopt(M_MMAP_THRESHOLD, kLarge);
}

}  // namespace

int main(int argc, char** argv) {
  adapt::serve_isolated(argc, argv);
  return_large_blocks();
  try {
    adapt::cli::remember_command_line(argc, argv);
    const adapt::ExitCode code = dispatch({argv + 1, argv + argc});
    adapt::finish_output();
    return static_cast<int>(code);
  } catch (const adapt::Error& error) {
    adapt::log_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    adapt::log_error(adapt::failure_text(error));
    return static_cast<int>(adapt::ExitCode::failed);
  }
}
