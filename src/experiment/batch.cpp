#include "experiment/batch.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shell.hpp"

namespace adapt {
namespace {

constexpr const char* kDirective = "#SBATCH";

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
  add("--job-name=", job_name(submission));
  add("--array=0-", submission.tasks() - 1, options.throttle > 0 ? concat("%", options.throttle) : "");
  add("--output=", log_pattern(store, submission));
  add_text("--partition=", options.partition);
  add_text("--account=", options.account);
  add_text("--qos=", options.qos);
  add_text("--time=", options.time);
  add_text("--mem=", options.memory);
  add("--nodes=", options.nodes);
  add("--ntasks-per-node=", std::max(options.pack, 1) * options.ranks_per_node);
  add("--cpus-per-task=", threads);
  add("--signal=B:USR1@", options.signal_seconds);
  if (options.pack == kAutoPack) {
    add("--exclusive");
  }
  words.insert(words.end(), options.options.begin(), options.options.end());
  return words;
}

std::string settings_of(const RunStore& store, const Submission& submission, const SlurmOptions& options) {
  std::string setup;
  for (const std::string& line : options.setup) {
    setup += (setup.empty() ? "" : "\n") + line;
  }
  std::string text = concat("export ADAPT_SLURM_MAX_REQUEUES=", options.max_requeues, "\n");
  text += "ADAPT_SLURM_NOTES=" + shell_word(submission_path(store, submission.id, "").string()) + "\n";
  if (!setup.empty()) {
    text += "ADAPT_SLURM_SETUP=" + shell_word(setup) + "\n";
  }
  if (!options.launch.empty()) {
    text += "export ADAPT_SLURM_LAUNCH=" + shell_word(options.launch) + "\n";
  }
  return text;
}

}  // namespace

std::string job_name(const Submission& submission) { return "adapt-" + submission.id; }

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
  batch.name = job_name(submission);
  batch.options = sbatch_options(store, submission, options, threads);
  batch.script = concat(base.substr(0, end + 1), "# Submitted with: sbatch ", shell_line(batch.options), "\n",
                        settings_of(store, submission, options), base.substr(end + 1));
  batch.command = {program, "sweep", "--store", store.path().string(), "--submission", submission.id};
  return batch;
}

std::vector<std::string> sbatch_command(const Batch& batch, const std::filesystem::path& script) {
  std::vector<std::string> command = {"sbatch", "--parsable"};
  command.insert(command.end(), batch.options.begin(), batch.options.end());
  command.push_back(script.string());
  command.insert(command.end(), batch.command.begin(), batch.command.end());
  return command;
}

}  // namespace adapt
