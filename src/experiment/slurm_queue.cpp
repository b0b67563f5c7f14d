#include "experiment/slurm_queue.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "yaml/domain.hpp"

namespace adapt {
namespace {

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

/// Whether an error says that the controller did not answer, so that nobody knows what it has done.
bool is_silence(const std::string& error) {
  constexpr std::array kSilence = {
      "Unable to contact",     "Socket timed out",     "Zero Bytes were",
      "connection failure",    "Connection timed out", "Connection refused",
      "Transport endpoint is", "standby mode",         "Unexpected message recei"};
  return std::ranges::any_of(kSilence,
                             [&](const char* words) { return error.find(words) != std::string::npos; });
}

/// Longer and longer pauses, some minutes in all.
class Patience {
 public:
  /// Waits; false where there was time enough.
  bool wait() {
    if (is_over()) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::seconds(kPauses[next_++]));
    return true;
  }
  [[nodiscard]] bool is_over() const { return next_ >= kPauses.size(); }

 private:
  static constexpr std::array kPauses = {1, 1, 1, 2, 4, 8, 15, 30, 30, 30, 30, 30, 30, 30, 30};
  std::size_t next_ = 0;
};

}  // namespace

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

std::int64_t largest_node_memory(const SlurmOptions& options) {
  std::vector<std::string> command = {"sinfo", "--noheader", "--format=%m"};
  if (!options.partition.empty()) {
    command.push_back("--partition=" + options.partition);
  }
  constexpr std::int64_t kMegabyte = std::int64_t{1} << 20U;
  const Captured answer = run_slurm(command);
  std::int64_t most = 0;
  std::istringstream lines(answer.exit_code == 0 ? answer.output : "");
  for (std::string line; std::getline(lines, line);) {  // "64000", or "64000+" of nodes that differ
    if (line.ends_with('+')) {
      return 0;  // that is the least of them
    }
    most = std::max<std::int64_t>(most, std::atoll(line.c_str()));
  }
  return most * kMegabyte;
}

namespace {

/// Says so where a job was taken, or may have been.
std::string job_taken(const Captured& answer, const std::filesystem::path& script) {
  const std::string job = job_in(answer.output);
  if (job.empty()) {
    throw Failure(concat("sbatch names no job for ", script, ": it says ",
                         quote_for_message(joined_lines(answer.output + answer.error)),
                         "; expected a line with the job's number. squeue tells whether there is one"));
  }
  return job;
}

/// The job that sbatch got no answer for, if it is there after all; none where it surely is not. Waits for an
/// answer, one pause after the other.
FoundJob look_for(const Batch& batch, const std::filesystem::path& script, Patience& patience) {
  constexpr int kSure = 3;  // what was accepted just now may take a moment to be seen
  FoundJob found;
  for (int answers = 0; answers < kSure && patience.wait();) {
    found = find_job(batch.name, script);
    if (!found.job.empty()) {
      return found;
    }
    answers += found.trouble.empty() ? 1 : 0;
  }
  return found;
}

}  // namespace

std::string submit(const Batch& batch, const std::filesystem::path& script) {
  write_submission_file(script, batch.script);
  Patience patience;
  for (;;) {
    const Captured answer = run_slurm(sbatch_command(batch, script));
    if (answer.exit_code == kNotFound) {
      throw Failure(
          "cannot start sbatch; expected a machine that submits to Slurm, or --run in place of --submit");
    }
    if (answer.exit_code == 0) {
      return job_taken(answer, script);
    }
    const std::string said = first_line(answer.error);
    if (!is_silence(answer.error)) {
      throw Failure(concat("sbatch refuses ", script, ": ", said));
    }
    log_warning(concat("Slurm does not answer sbatch, which is tried again: ", said));
    const FoundJob found = look_for(batch, script, patience);
    if (!found.job.empty()) {
      log_info(concat("Slurm has taken the job nevertheless: ", found.job));
      return found.job;
    }
    if (!found.trouble.empty() || patience.is_over()) {
      throw Failure(concat("Slurm does not answer (", said,
                           "); the same --submit, once it does, goes on with what it has taken by then"));
    }
  }
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

JobReport ask_about(const Submission& submission) {
  const Captured answer = run_slurm({"squeue", "--noheader", "--array", "--states=all", "--format=%i %T %r",
                                     "--jobs=" + submission.job, "--name=" + job_name(submission)});
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

FoundJob find_job(const std::string& name, const std::filesystem::path& script) {
  const Captured answer = run_slurm({"squeue", "--noheader", "--states=all", "--format=%F %o",
                                     "--name=" + name, "--user=" + std::to_string(::getuid())});
  if (answer.exit_code != 0) {
    return {"", answer.exit_code == kNotFound ? "there is no squeue" : first_line(answer.error)};
  }
  long long highest = 0;
  std::istringstream lines(answer.output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t blank = line.find(' ');
    const std::string command = blank == std::string::npos ? "" : line.substr(blank + 1) + " ";
    if (command.starts_with(script.string() + " ")) {  // its arguments follow
      highest = std::max(highest, std::atoll(line.c_str()));
    }
  }
  return {highest > 0 ? std::to_string(highest) : "", ""};
}

std::string requeue(const std::string& task) {
  const Captured answer = ask_slurm({"scontrol", "requeue", task});
  return answer.exit_code == 0           ? ""
         : answer.exit_code == kNotFound ? "there is no scontrol"
                                         : joined_lines(answer.error);
}

}  // namespace adapt
