#include "experiment/batch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "base/shell.hpp"
#include "yaml/domain.hpp"

namespace adapt {
namespace {

constexpr const char* kDirective = "#SBATCH";
constexpr int kUsualArraySize = 1001;

/// Runs one of Slurm's programs. What the job around this process, if there is one, was asked for is none of
/// its business.
Captured run_slurm(const std::vector<std::string>& command) {
  return capture(command, environment_outside_jobs());
}

/// The same for a question, which is put once more where Slurm is busy for a moment.
Captured ask_slurm(const std::vector<std::string>& command) {
  constexpr std::chrono::seconds kPause{1};
  Captured answer = run_slurm(command);
  if (answer.exit_code != 0 && answer.exit_code != kNotFound) {
    std::this_thread::sleep_for(kPause);
    answer = run_slurm(command);
  }
  return answer;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// All lines on one.
std::string joined_lines(const std::string& text) {
  std::string joined;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    joined += joined.empty() ? "" : "; ";
    joined += line;
  }
  return joined;
}

/// The job's number in what `sbatch --parsable` prints, the last line "JOB" or "JOB;CLUSTER": a site's own
/// sbatch may say more. Empty where there is none.
std::string job_in(const std::string& output) {
  static const std::regex kJob("([0-9]+)(;[^;[:space:]]+)?");
  std::string job;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    job = std::regex_match(line, parts, kJob) ? parts[1].str() : job;
  }
  return job;
}

/// The path of the tasks' logs as --output takes it: '%' stands for itself when it is doubled.
std::string log_pattern(const RunStore& store, const Submission& submission) {
  check_store_path(store);
  const std::string path = submission_path(store, submission.id, "").string();
  std::string pattern;
  for (const char c : path) {
    pattern.append(c == '%' ? 2 : 1, c);
  }
  return pattern + "-%A_%a.txt";
}

std::vector<std::string> sbatch_options(const RunStore& store, const Submission& submission,
                                        const SlurmOptions& options, int threads) {
  std::vector<std::string> words;
  const auto add = [&](const auto&... parts) { words.push_back(concat(parts...)); };
  const auto add_text = [&](const char* option, const std::string& value) {
    if (!value.empty()) {
      add(option, value);
    }
  };
  add("--export=ALL");
  add("--job-name=adapt-", submission.id);
  add("--array=0-", submission.tasks() - 1, options.throttle > 0 ? concat("%", options.throttle) : "");
  add("--output=", log_pattern(store, submission));
  add_text("--partition=", options.partition);
  add_text("--account=", options.account);
  add_text("--qos=", options.qos);
  add_text("--time=", options.time);
  add_text("--mem=", options.memory);
  add("--nodes=", options.nodes);
  add("--ntasks-per-node=", options.ranks_per_node);
  add("--cpus-per-task=", threads);
  add("--signal=B:USR1@", options.signal_seconds);
  words.insert(words.end(), options.options.begin(), options.options.end());
  return words;
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

void check_store_path(const RunStore& store) {
  if (store.path().string().find('\\') != std::string::npos) {
    throw BadInput(concat("--store ", store.path(),
                          ": Slurm writes the log of no task to a path with a backslash; expected a path "
                          "without"));
  }
}

Batch make_batch(const std::string& base, const RunStore& store, const Submission& submission,
                 const SlurmOptions& options, int threads, const std::string& program) {
  const std::size_t last = base.rfind(std::string("\n") + kDirective);
  const std::size_t end = last == std::string::npos ? base.find('\n') : base.find('\n', last + 1);
  if (end == std::string::npos) {
    throw BadInput("the batch script has no second line; expected slurm/sweep.sbatch");
  }
  Batch batch;
  batch.options = sbatch_options(store, submission, options, threads);
  batch.script = concat(base.substr(0, end + 1), "# Submitted with: sbatch ", shell_line(batch.options), "\n",
                        settings_of(options), base.substr(end + 1));
  batch.command = {program, "sweep", "--store", store.path().string(), "--submission", submission.id};
  return batch;
}

int max_array_size(const SlurmOptions& options) {
  if (options.max_array_size > 0) {
    return options.max_array_size;
  }
  const Captured answer = ask_slurm({"scontrol", "show", "config"});
  const std::size_t at = answer.output.find("MaxArraySize");
  const std::size_t equals = answer.output.find('=', at);
  const int size = at == std::string::npos || equals == std::string::npos
                       ? 0
                       : std::atoi(answer.output.c_str() + equals + 1);
  return size > 0 ? size : kUsualArraySize;
}

std::vector<std::string> sbatch_command(const Batch& batch, const std::filesystem::path& script) {
  std::vector<std::string> command = {"sbatch", "--parsable"};
  command.insert(command.end(), batch.options.begin(), batch.options.end());
  command.push_back(script.string());
  command.insert(command.end(), batch.command.begin(), batch.command.end());
  return command;
}

std::string submit(const Batch& batch, const std::filesystem::path& script) {
  write_submission_file(script, batch.script);
  const Captured answer = run_slurm(sbatch_command(batch, script));
  if (answer.exit_code == kNotFound) {
    throw Failure(
        "cannot start sbatch; expected a machine that submits to Slurm, or --run in place of --submit");
  }
  if (answer.exit_code != 0) {
    throw Failure(concat("sbatch refuses ", script, ": ", first_line(answer.error)));
  }
  const std::string job = job_in(answer.output);
  if (job.empty()) {
    throw Failure(concat("sbatch names no job for ", script, ": it says ",
                         quote_for_message(joined_lines(answer.output + answer.error)),
                         "; expected a line with the job's number. squeue tells whether there is one"));
  }
  return job;
}

std::string test_only(const Batch& batch) {
  // Long enough for a busy Slurm, and short for one that is not there: sbatch itself waits up to a minute.
  constexpr const char* kSeconds = "30";
  constexpr int kTimeout = 124;
  std::vector<std::string> command = {"timeout", kSeconds, "sbatch", "--test-only"};
  command.insert(command.end(), batch.options.begin(), batch.options.end());
  command.emplace_back("--wrap=:");  // in place of the script, which is written to the store by submit() only
  const Captured answer = run_slurm(command);
  if (answer.exit_code == kNotFound) {
    return "";
  }
  if (answer.exit_code == kTimeout) {
    return concat("no answer within ", kSeconds, " s");
  }
  return joined_lines(answer.error + answer.output);
}

bool TaskState::is_alive() const {
  constexpr std::array kAlive = {"PENDING",   "RUNNING",   "COMPLETING",   "CONFIGURING",
                                 "SUSPENDED", "REQUEUED",  "STOPPED",      "SIGNALING",
                                 "RESIZING",  "STAGE_OUT", "REQUEUE_HOLD", "SPECIAL_EXIT"};
  return std::find(kAlive.begin(), kAlive.end(), state) != kAlive.end();
}

JobReport ask_about(const std::string& job) {
  const Captured answer =
      run_slurm({"squeue", "--noheader", "--array", "--states=all", "--format=%i %T %r", "--jobs=" + job});
  JobReport report;
  if (answer.exit_code != 0 && answer.error.find("Invalid job id") == std::string::npos) {
    report.trouble = answer.exit_code == kNotFound ? "there is no squeue" : first_line(answer.error);
    return report;
  }
  std::istringstream lines(answer.exit_code == 0 ? answer.output : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    TaskState task;
    if (words >> task.task >> task.state) {
      std::getline(words >> std::ws, task.reason);
      report.tasks.push_back(task);
    }
  }
  return report;
}

}  // namespace adapt
