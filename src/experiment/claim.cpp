#include "experiment/claim.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"

namespace adapt {
namespace {

constexpr std::string_view kClaim = "claim";
constexpr std::chrono::minutes kLongestSilence{15};
constexpr std::chrono::minutes kRefresh{1};
/// Numbers in names beyond this are not ours.
constexpr int kMostClaims = 1'000'000;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string to_json(const Claim& claim) {
  return json_text({{"token", claim.token},
                    {"host", claim.host},
                    {"pid", claim.owner.number},
                    {"start", claim.owner.start},
                    {"space", claim.space},
                    {"slurm_job", claim.slurm_job},
                    {"slurm_array_job", claim.slurm_array},
                    {"slurm_array_task", claim.slurm_task},
                    {"slurm_restarts", claim.slurm_restarts},
                    {"time", claim.time}});
}

Claim from_json(const Json& json) {
  Claim claim;
  claim.token = text_of(json, "token");
  claim.host = text_of(json, "host");
  claim.space = text_of(json, "space");
  claim.owner = {static_cast<pid_t>(integer_of(json, "pid").value_or(0)), text_of(json, "start")};
  claim.slurm_job = text_of(json, "slurm_job");
  claim.slurm_array = text_of(json, "slurm_array_job");
  claim.slurm_task = text_of(json, "slurm_array_task");
  claim.slurm_restarts = static_cast<int>(integer_of(json, "slurm_restarts").value_or(0));
  claim.time = text_of(json, "time");
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
  return number && std::stoi(digits) < kMostClaims ? std::stoi(digits) : 0;
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

/// What the file says; nothing where it cannot be read, or says something else.
std::optional<Claim> read_claim(const std::filesystem::path& path) {
  try {
    return from_json(parse_json(read_text(path, kSmallFile), path.string()));
  } catch (const BadInput&) {
    return std::nullopt;
  }
}

bool has_token(const std::filesystem::path& path, const std::string& token) {
  if (token.empty()) {
    return false;
  }
  const std::optional<Claim> claim = read_claim(path);
  return claim && claim->token == token;
}

/// Whether the claim is refreshed. Where nothing can be written, nobody can take it over either.
bool is_refreshed(const std::filesystem::path& path, std::chrono::nanoseconds last_refresh) {
  const auto now = clock_beside(path);
  return !now || std::chrono::abs(*now - last_refresh) < kLongestSilence;
}

std::string describe(const std::optional<Claim>& claim, const std::filesystem::path& path) {
  if (!claim || claim->host.empty()) {
    return concat("somebody, whose claim ", path, " cannot be read");
  }
  return concat("process ", claim->owner.number, " on ", claim->host, ", since ", claim->time,
                claim->slurm_job.empty() ? "" : concat(" (Slurm job ", claim->slurm_job, ")"));
}

/// Who holds this claim, if he is alive. A claim that is gone meanwhile counts as dead.
std::optional<std::string> living_owner_of(const std::filesystem::path& path) {
  const auto last_refresh = last_change(path);
  if (!last_refresh) {
    return std::nullopt;
  }
  const std::optional<Claim> claim = read_claim(path);
  const std::optional<bool> known = claim ? owner_is_alive(*claim) : std::nullopt;
  const bool alive = known ? *known : is_refreshed(path, *last_refresh);
  return alive && last_change(path) ? std::optional(describe(claim, path)) : std::nullopt;
}

}  // namespace

Claim own_claim() {
  Claim claim;
  claim.token = random_digits();
  claim.host = host_name();
  claim.space = process_space();
  claim.owner = process_with(::getpid());
  claim.slurm_job = variable("SLURM_JOB_ID");
  claim.slurm_array = variable("SLURM_ARRAY_JOB_ID");
  claim.slurm_task = variable("SLURM_ARRAY_TASK_ID");
  claim.slurm_restarts = std::atoi(variable("SLURM_RESTART_COUNT").c_str());
  claim.time = utc_now();
  return claim;
}

namespace {

/// What squeue says of a job now.
JobState ask_about_job(const std::string& job) {
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

}  // namespace

JobState slurm_job_state(const std::string& job) {
  // Where Slurm does not answer, it takes its time to, and many claims are looked at in a row.
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kMoment{5};
  static std::optional<Clock::time_point> silent;
  if (silent && Clock::now() - *silent < kMoment) {
    return JobState::unknown;
  }
  const JobState state = ask_about_job(job);
  silent = state == JobState::unknown ? std::optional(Clock::now()) : std::nullopt;
  return state;
}

std::optional<bool> owner_is_alive(const Claim& claim) {
  const Claim own = own_claim();
  if (claim.space == own.space) {
    return is_running(claim.owner);
  }
  if (!claim.slurm_job.empty() && claim.slurm_job == own.slurm_job) {
    return claim.slurm_restarts < own.slurm_restarts ? std::optional(false) : std::nullopt;
  }
  const JobState state = claim.slurm_job.empty() ? JobState::unknown : slurm_job_state(claim.slurm_job);
  return state == JobState::unknown ? std::nullopt : std::optional(state == JobState::alive);
}

std::optional<std::string> living_owner(const std::filesystem::path& run_dir, const std::string& but) {
  for (const int number : claims_in(run_dir)) {
    const std::filesystem::path path = path_of(run_dir, number);
    if (const auto owner = has_token(path, but) ? std::nullopt : living_owner_of(path)) {
      return owner;
    }
  }
  return std::nullopt;
}

void refuse_claimed(const std::filesystem::path& run_dir, const std::string& but) {
  if (const std::optional<std::string> owner = living_owner(run_dir, but)) {
    throw BadInput(
        concat("run ", run_dir, " is claimed by ", *owner,
               "; wait until that has ended (a claim that is not refreshed for 15 minutes ends, too), or "
               "choose another folder"));
  }
}

std::optional<Claim> last_claim(const std::filesystem::path& run_dir) {
  const std::vector<int> numbers = claims_in(run_dir);
  return numbers.empty() ? std::nullopt : read_claim(path_of(run_dir, numbers.back()));
}

void clear_dead_claims(const std::filesystem::path& run_dir) {
  if (has_claim(run_dir)) {
    HeldClaim::take(run_dir);  // and back, with those that it replaces
  }
}

bool has_claim(const std::filesystem::path& run_dir) { return !claims_in(run_dir).empty(); }

bool has_claim(const std::filesystem::path& run_dir, const std::string& token) {
  const std::vector<int> numbers = claims_in(run_dir);
  return std::any_of(numbers.begin(), numbers.end(),
                     [&](int number) { return has_token(path_of(run_dir, number), token); });
}

/// Refreshes a claim beside all other work.
class HeldClaim::Heartbeat {
 public:
  explicit Heartbeat(std::filesystem::path path) : path_(std::move(path)) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals go to the threads that wait for them
    thread_ = std::thread([this] { beat(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Heartbeat() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    change_.notify_one();
    thread_.join();
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void beat() {
    std::unique_lock lock(mutex_);
    while (!change_.wait_for(lock, kRefresh, [this] { return over_; })) {
      touch(path_);
    }
  }

  std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable change_;
  bool over_ = false;
  std::thread thread_;
};

HeldClaim::HeldClaim(std::filesystem::path path, Claim claim)
    : path_(std::move(path)), claim_(std::move(claim)), heartbeat_(std::make_unique<Heartbeat>(path_)) {}

std::optional<HeldClaim> HeldClaim::take(const std::filesystem::path& run_dir, const std::string& under) {
  const std::vector<int> there = claims_in(run_dir);
  if (living_owner(run_dir, under)) {
    return std::nullopt;
  }
  const int number = there.empty() ? 1 : there.back() + 1;
  if (number >= kMostClaims) {
    throw Failure(concat("cannot claim ", run_dir, ": remove ", path_of(run_dir, there.back()),
                         ", the claim of a dead owner"));
  }
  const std::filesystem::path path = path_of(run_dir, number);
  Claim claim = own_claim();
  if (!create_exclusively(path, to_json(claim))) {
    return std::nullopt;
  }
  HeldClaim held(path, std::move(claim));
  // Whoever looked before an earlier claim was made could have come to a free, lower name.
  for (const int other : claims_in(run_dir)) {
    if (other == number || has_token(path_of(run_dir, other), under)) {
      continue;
    }
    if (living_owner_of(path_of(run_dir, other))) {
      return std::nullopt;
    }
    if (other < number) {
      held.replaced_.push_back(path_of(run_dir, other));
    }
  }
  return held;
}

HeldClaim HeldClaim::take_or_refuse(const std::filesystem::path& run_dir, const std::string& under) {
  if (std::optional<HeldClaim> held = take(run_dir, under)) {
    return std::move(*held);
  }
  refuse_claimed(run_dir, under);
  throw BadInput(concat("run ", run_dir, " was claimed by somebody who has just gone; try again"));
}

HeldClaim::HeldClaim(HeldClaim&& other) noexcept
    : path_(std::move(other.path_)),
      claim_(std::move(other.claim_)),
      replaced_(std::move(other.replaced_)),
      heartbeat_(std::move(other.heartbeat_)) {
  other.path_.clear();
  other.replaced_.clear();
}

HeldClaim::~HeldClaim() {
  heartbeat_.reset();
  // The dead ones first: while ours is there, nobody takes over from them.
  for (const std::filesystem::path& path : replaced_) {
    ::unlink(path.c_str());
  }
  if (!path_.empty() && has_token(path_, claim_.token)) {
    ::unlink(path_.c_str());
  }
}

}  // namespace adapt
