#include "experiment/batch.hpp"

#include <cstdlib>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"

namespace adapt {
namespace {

constexpr const char* kDirective = "#SBATCH";
constexpr int kUsualArraySize = 1001;

/// `text` as one word of a shell.
std::string shell_word(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string directives(const RunStore& store, const Submission& submission, const SlurmOptions& options,
                       int threads) {
  std::string text;
  const auto add = [&](const auto&... parts) { text += concat(kDirective, " ", parts..., "\n"); };
  const auto add_text = [&](const char* option, const std::string& value) {
    if (!value.empty()) {
      add(option, value);
    }
  };
  add("--job-name=adapt-", submission.id);
  add("--array=0-", submission.tasks() - 1, options.throttle > 0 ? concat("%", options.throttle) : "");
  add("--output=", submission_path(store, submission.id, "-%A_%a.txt").string());
  add_text("--partition=", options.partition);
  add_text("--account=", options.account);
  add_text("--qos=", options.qos);
  add_text("--time=", options.time);
  add_text("--mem=", options.memory);
  add("--nodes=", options.nodes);
  add("--ntasks-per-node=", options.ranks_per_node);
  add("--cpus-per-task=", threads);
  add("--signal=B:USR1@", options.signal_seconds);
  for (const std::string& option : options.options) {
    add(option);
  }
  return text;
}

std::string settings_of(const SlurmOptions& options) {
  std::string setup;
  for (const std::string& line : options.setup) {
    setup += (setup.empty() ? "" : "\n") + line;
  }
  std::string text = concat("export ADAPT_SLURM_MAX_REQUEUES=", options.max_requeues, "\n");
  if (!setup.empty()) {
    text += "ADAPT_SLURM_SETUP=" + shell_word(setup) + "\n";
  }
  if (!options.launch.empty()) {
    text += "export ADAPT_SLURM_LAUNCH=" + shell_word(options.launch) + "\n";
  }
  return text;
}

}  // namespace

Batch make_batch(const std::string& base, const RunStore& store, const Submission& submission,
                 const SlurmOptions& options, int threads, const std::string& program) {
  const std::size_t last = base.rfind(std::string("\n") + kDirective);
  const std::size_t end = last == std::string::npos ? base.find('\n') : base.find('\n', last + 1);
  if (end == std::string::npos) {
    throw BadInput("the batch script has no second line; expected slurm/sweep.sbatch");
  }
  Batch batch;
  batch.script = base.substr(0, end + 1) + directives(store, submission, options, threads) +
                 settings_of(options) + base.substr(end + 1);
  batch.command = {program, "sweep", "--store", store.path().string(), "--submission", submission.id};
  return batch;
}

int max_array_size(const SlurmOptions& options) {
  if (options.max_array_size > 0) {
    return options.max_array_size;
  }
  const Captured answer = capture({"scontrol", "show", "config"});
  const std::size_t at = answer.output.find("MaxArraySize");
  const std::size_t equals = answer.output.find('=', at);
  const int size = at == std::string::npos || equals == std::string::npos
                       ? 0
                       : std::atoi(answer.output.c_str() + equals + 1);
  return size > 0 ? size : kUsualArraySize;
}

std::string submit(const Batch& batch, const std::filesystem::path& script) {
  write_atomically(script, batch.script);
  std::vector<std::string> command = {"sbatch", "--parsable", script.string()};
  command.insert(command.end(), batch.command.begin(), batch.command.end());
  const Captured answer = capture(command);
  constexpr int kNotFound = 127;
  if (answer.exit_code == kNotFound) {
    throw Failure(
        "cannot start sbatch; expected a machine that submits to Slurm, or --run in place of --submit");
  }
  if (answer.exit_code != 0) {
    throw Failure(concat("sbatch refuses ", script, ": ", answer.error.substr(0, answer.error.find('\n'))));
  }
  return answer.output.substr(0,
                              answer.output.find_first_of(";\n"));  // "JOB;CLUSTER" where there are several
}

std::vector<TaskState> task_states(const std::string& job) {
  const Captured answer =
      capture({"squeue", "--noheader", "--states=all", "--format=%i %T %r", "--jobs=" + job});
  std::vector<TaskState> tasks;
  std::istringstream lines(answer.exit_code == 0 ? answer.output : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    TaskState task;
    if (words >> task.task >> task.state) {
      std::getline(words >> std::ws, task.reason);
      tasks.push_back(task);
    }
  }
  return tasks;
}

}  // namespace adapt
