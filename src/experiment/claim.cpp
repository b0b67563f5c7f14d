#include "experiment/claim.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/json_value.hpp"

namespace adapt {
namespace {

constexpr std::string_view kClaim = "claim";
constexpr std::chrono::minutes kLongestSilence{15};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string to_json(const Claim& claim) {
  const auto process = [](const ProcessId& id) {
    return concat("{\"pid\": ", id.number, ", \"start\": ", json_string(id.start), "}");
  };
  return concat("{\"host\": ", json_string(claim.host), ", \"pid\": ", claim.owner.number,
                ", \"start\": ", json_string(claim.owner.start), ", \"space\": ", json_string(claim.space),
                ", \"child\": ", process(claim.child), ", \"slurm_job\": ", json_string(claim.slurm_job),
                ", \"slurm_array_task\": ", json_string(claim.slurm_task),
                ", \"slurm_restarts\": ", claim.slurm_restarts, ", \"time\": ", json_string(claim.time),
                "}\n");
}

ProcessId process_of(const JsonValue& value) {
  return {static_cast<pid_t>(value.integer_of("pid").value_or(0)), value.text_of("start")};
}

Claim from_json(const JsonValue& value) {
  Claim claim;
  claim.host = value.text_of("host");
  claim.space = value.text_of("space");
  claim.owner = process_of(value);
  const JsonValue* child = value.find("child");
  claim.child = child == nullptr ? ProcessId{} : process_of(*child);
  claim.slurm_job = value.text_of("slurm_job");
  claim.slurm_task = value.text_of("slurm_array_task");
  claim.slurm_restarts = static_cast<int>(value.integer_of("slurm_restarts").value_or(0));
  claim.time = value.text_of("time");
  return claim;
}

/// 1 of "claim", n of "claim.n"; 0 of other names.
int number_of(const std::string& name) {
  if (name == kClaim) {
    return 1;
  }
  const std::string digits = name.starts_with("claim.") ? name.substr(kClaim.size() + 1) : "";
  const bool number =
      !digits.empty() && digits.size() < 9 && digits.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::stoi(digits) : 0;
}

/// Numbers of the claims in a folder, ascending.
std::vector<int> claims_in(const std::filesystem::path& run_dir) {
  std::vector<int> numbers;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(run_dir, missing)) {
    if (const int number = number_of(entry.path().filename().string()); number > 0) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::filesystem::path path_of(const std::filesystem::path& run_dir, int number) {
  return run_dir / (number == 1 ? std::string(kClaim) : concat(kClaim, ".", number));
}

/// A claim that is gone meanwhile counts as dead, and one that cannot be read, as alive: it is not ours to
/// take.
bool is_alive(const std::filesystem::path& path) {
  std::error_code gone;
  const auto refreshed = std::filesystem::last_write_time(path, gone);
  if (gone) {
    return false;
  }
  try {
    const std::vector<std::byte> bytes = read_file(path);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return is_alive(from_json(parse_json(text, path.string())), refreshed);
  } catch (const BadInput&) {
    return std::filesystem::exists(path, gone);
  }
}

}  // namespace

Claim own_claim() {
  Claim claim;
  claim.host = host_name();
  claim.space = process_space();
  claim.owner = process_with(::getpid());
  claim.slurm_job = variable("SLURM_JOB_ID");
  claim.slurm_task = variable("SLURM_ARRAY_TASK_ID");
  claim.slurm_restarts = std::atoi(variable("SLURM_RESTART_COUNT").c_str());
  claim.time = utc_now();
  return claim;
}

JobState slurm_job_state(const std::string& job) {
  const Captured answer = capture({"squeue", "--noheader", "--states=all", "--format=%A %T", "--jobs=" + job},
                                  environment_outside_jobs());
  if (answer.exit_code != 0) {
    // A job that Slurm knows no more; any other error says nothing about it.
    return answer.error.find("Invalid job id") != std::string::npos ? JobState::dead : JobState::unknown;
  }
  // One task of an array has the number of the array, for which squeue lists all its tasks.
  const auto is_of_job = [&](const char* state) {
    return ("\n" + answer.output).find(concat("\n", job, " ", state, "\n")) != std::string::npos;
  };
  constexpr std::array kAlive = {"RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "SIGNALING"};
  return std::any_of(kAlive.begin(), kAlive.end(), is_of_job) ? JobState::alive : JobState::dead;
}

bool is_alive(const Claim& claim, std::filesystem::file_time_type refreshed) {
  const Claim own = own_claim();
  if (claim.space == own.space) {
    return is_running(claim.owner) || is_running(claim.child);
  }
  if (!claim.slurm_job.empty() && claim.slurm_job == own.slurm_job) {
    return claim.slurm_restarts >= own.slurm_restarts;
  }
  const JobState state = claim.slurm_job.empty() ? JobState::unknown : slurm_job_state(claim.slurm_job);
  if (state != JobState::unknown) {
    return state == JobState::alive;
  }
  return std::filesystem::file_time_type::clock::now() - refreshed < kLongestSilence;
}

bool is_claimed(const std::filesystem::path& run_dir) {
  const std::vector<int> numbers = claims_in(run_dir);
  return std::any_of(numbers.begin(), numbers.end(),
                     [&](int number) { return is_alive(path_of(run_dir, number)); });
}

bool has_claim(const std::filesystem::path& run_dir) { return !claims_in(run_dir).empty(); }

std::optional<HeldClaim> HeldClaim::take(const std::filesystem::path& run_dir) {
  const std::vector<int> there = claims_in(run_dir);
  if (is_claimed(run_dir)) {
    return std::nullopt;
  }
  const int number = there.empty() ? 1 : there.back() + 1;
  const std::filesystem::path path = path_of(run_dir, number);
  Claim claim = own_claim();
  if (!create_exclusively(path, to_json(claim))) {
    return std::nullopt;
  }
  HeldClaim held(path, std::move(claim));
  // Whoever looked before an earlier claim was made could have come to a free, lower name.
  for (const int other : claims_in(run_dir)) {
    if (other != number && is_alive(path_of(run_dir, other))) {
      return std::nullopt;
    }
    if (other < number) {
      held.replaced_.push_back(path_of(run_dir, other));
    }
  }
  return held;
}

HeldClaim::HeldClaim(HeldClaim&& other) noexcept
    : path_(std::move(other.path_)), claim_(std::move(other.claim_)), replaced_(std::move(other.replaced_)) {
  other.path_.clear();
  other.replaced_.clear();
}

HeldClaim::~HeldClaim() {
  // The dead ones first: while ours is there, nobody takes over from them.
  for (const std::filesystem::path& path : replaced_) {
    ::unlink(path.c_str());
  }
  if (!path_.empty()) {
    ::unlink(path_.c_str());
  }
}

void HeldClaim::set_child(const ProcessId& child) {
  claim_.child = child;
  write_atomically(path_, to_json(claim_));
}

void HeldClaim::refresh() const {
  std::error_code ignored;
  std::filesystem::last_write_time(path_, std::filesystem::file_time_type::clock::now(), ignored);
}

}  // namespace adapt
