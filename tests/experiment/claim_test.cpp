// Claims: one owner at a time, dead owners are recognized, and taking over is a race with one winner.

#include "experiment/claim.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

std::string content(const std::filesystem::path& path) { return read_text(path, kSmallFile); }

/// A process that has ended and was waited for.
ProcessId dead_process() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(0);
  }
  ProcessId id = process_with(child);
  ::waitpid(child, nullptr, 0);
  id.start = id.start.empty() ? "1" : id.start;
  return id;
}

/// The file of a claim by a dead process of this machine.
void leave_dead_claim(const std::filesystem::path& path) {
  const ProcessId dead = dead_process();
  std::ofstream(path) << "{\"host\": \"h\", \"pid\": " << dead.number << ", \"start\": \"" << dead.start
                      << "\", \"space\": \"" << process_space() << "\"}\n";
}

/// The file's last refresh was so long ago.
void age(const std::filesystem::path& path, std::chrono::minutes ago) {
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - ago);
}

/// Leaves a claim of another machine's process.
void leave_foreign_claim(const std::filesystem::path& path) {
  std::ofstream(path)
      << "{\"host\": \"far\", \"pid\": 7, \"start\": \"1\", \"space\": \"another machine\"}\n";
}

TEST(Claim, IsHeldByOneAndGivenBack) {
  const test::Scratch scratch;
  EXPECT_FALSE(living_owner(scratch.path()));
  {
    const auto held = HeldClaim::take(scratch.path());
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(
        living_owner(scratch.path())->find(concat("process ", ::getpid(), " on ", host_name(), ", since 2")),
        0U);
    EXPECT_FALSE(HeldClaim::take(scratch.path()).has_value());
    EXPECT_TRUE(has_claim(scratch.path(), held->token()));
    EXPECT_FALSE(has_claim(scratch.path(), "0123456789abcdef"));
    const Json json = parse_json(content(scratch.path() / "claim"), "claim");
    EXPECT_EQ(integer_of(json, "pid"), ::getpid());
    EXPECT_EQ(text_of(json, "host"), host_name());
    EXPECT_FALSE(text_of(json, "start").empty());
    EXPECT_EQ(text_of(json, "time").size(), 20U);
  }
  EXPECT_FALSE(has_claim(scratch.path()));
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Claim, OfADeadProcessIsTakenOver) {
  const test::Scratch scratch;
  leave_dead_claim(scratch.path() / "claim");
  leave_dead_claim(scratch.path() / "claim.2");
  EXPECT_TRUE(has_claim(scratch.path()));
  EXPECT_FALSE(living_owner(scratch.path()));
  {
    const auto held = HeldClaim::take(scratch.path());
    ASSERT_TRUE(held.has_value());
    EXPECT_TRUE(std::filesystem::exists(scratch.path() / "claim.3"));
    EXPECT_FALSE(HeldClaim::take(scratch.path()).has_value());
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Claim, UnderAnotherOutlivesIt) {
  const test::Scratch scratch;
  std::optional<HeldClaim> sweep = HeldClaim::take(scratch.path());
  ASSERT_TRUE(sweep.has_value());
  std::optional<HeldClaim> training = HeldClaim::take(scratch.path(), sweep->token());
  ASSERT_TRUE(training.has_value());
  EXPECT_FALSE(HeldClaim::take(scratch.path(), sweep->token()).has_value()) << "one training at a time";
  EXPECT_FALSE(living_owner(scratch.path(), sweep->token()) == std::nullopt);
  sweep.reset();
  EXPECT_TRUE(living_owner(scratch.path())) << "a launcher may be killed, and its training live on";
  EXPECT_FALSE(HeldClaim::take(scratch.path()).has_value());
  training.reset();
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Claim, UnderOneThatIsGoneRespectsOthers) {
  const test::Scratch scratch;
  const std::string gone = HeldClaim::take(scratch.path())->token();
  const auto other = HeldClaim::take(scratch.path());
  ASSERT_TRUE(other.has_value());
  EXPECT_FALSE(HeldClaim::take(scratch.path(), gone).has_value());
}

TEST(Claim, OfAnotherMachineLivesWhileItIsRefreshed) {
  const test::Scratch scratch;
  const std::filesystem::path path = scratch.path() / "claim";
  leave_foreign_claim(path);
  age(path, std::chrono::minutes(10));
  EXPECT_EQ(living_owner(scratch.path())->find("process 7 on far"), 0U);
  touch(path);
  EXPECT_TRUE(living_owner(scratch.path()));
  for (const int minutes : {20, -20}) {  // a time to come is nobody's refresh either
    age(path, std::chrono::minutes(minutes));
    EXPECT_FALSE(living_owner(scratch.path())) << minutes;
  }
  EXPECT_TRUE(HeldClaim::take(scratch.path()));
}

TEST(Claim, ThatCannotBeReadIsNotOursWhileItIsRefreshed) {
  for (const char* text :
       {"", "{\"pid\": ", "[]", "null", "{}", "\xff\xfe", "{\"pid\": 1e300, \"start\": 5}"}) {
    const test::Scratch scratch;
    std::ofstream(scratch.path() / "claim") << text;
    EXPECT_TRUE(living_owner(scratch.path())) << text;
    EXPECT_FALSE(HeldClaim::take(scratch.path())) << text;
    age(scratch.path() / "claim", std::chrono::minutes(20));
    EXPECT_FALSE(living_owner(scratch.path())) << text;
    EXPECT_TRUE(HeldClaim::take(scratch.path())) << text;
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path())) << text;
  }
}

TEST(Claim, ARefusalNamesTheOwner) {
  const test::Scratch scratch;
  leave_foreign_claim(scratch.path() / "claim");
  try {
    HeldClaim::take_or_refuse(scratch.path());
    FAIL() << "expected BadInput";
  } catch (const BadInput& error) {
    EXPECT_NE(std::string(error.what()).find("process 7 on far"), std::string::npos) << error.what();
  }
}

TEST(Claim, OfSomebodyElseIsNotRemovedWithOurs) {
  const test::Scratch scratch;
  {
    const auto held = HeldClaim::take(scratch.path());
    std::filesystem::remove(scratch.path() / "claim");  // taken for dead, and another's in its place
    leave_foreign_claim(scratch.path() / "claim");
  }
  EXPECT_TRUE(living_owner(scratch.path()));
}

TEST(Claim, NumbersThatNobodyReachesAreNotOurs) {
  const test::Scratch scratch;
  leave_dead_claim(scratch.path() / "claim.99999999");
  leave_dead_claim(scratch.path() / "claim.999999");
  EXPECT_THROW(HeldClaim::take(scratch.path()), Failure);
  std::filesystem::remove(scratch.path() / "claim.999999");
  EXPECT_TRUE(HeldClaim::take(scratch.path()));
}

TEST(Claim, AnUnreadableFolderIsAFailure) { EXPECT_THROW(HeldClaim::take("/no/such/folder"), Failure); }

/// Slurm as far as claims ask for it: a program squeue that says what the test wants.
class SlurmClaim : public testing::Test {
 protected:
  SlurmClaim() : path_(std::getenv("PATH")) {
    ::setenv("PATH", (scratch_.path().string() + ":" + path_).c_str(), 1);
  }
  ~SlurmClaim() override {
    ::setenv("PATH", path_.c_str(), 1);
    for (const char* name : {"SLURM_JOB_ID", "SLURM_RESTART_COUNT"}) {
      ::unsetenv(name);
    }
  }

  void squeue(const std::string& script) {
    const std::filesystem::path program = scratch_.path() / "squeue";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }

  /// What can be said of the owner; nothing where only the age of the claim tells.
  [[nodiscard]] static std::optional<bool> alive(const std::string& job, int restarts) {
    Claim claim = own_claim();
    claim.space = "another machine";
    claim.slurm_job = job;
    claim.slurm_restarts = restarts;
    return owner_is_alive(claim);
  }

  test::Scratch scratch_;
  std::string path_;
};

TEST_F(SlurmClaim, OfAnEarlierStartOfThisJobIsDead) {
  squeue("echo 18 RUNNING");
  ::setenv("SLURM_JOB_ID", "17", 1);
  ::setenv("SLURM_RESTART_COUNT", "2", 1);
  EXPECT_EQ(alive("17", 1), false);
  EXPECT_EQ(alive("17", 2), std::nullopt);
  EXPECT_EQ(alive("18", 0), true);
}

TEST_F(SlurmClaim, LivesWhileItsJobRuns) {
  squeue("[ \"$*\" = '--noheader --states=all --format=%A %T --jobs=17' ] && echo 17 RUNNING");
  EXPECT_EQ(alive("17", 0), true);
  squeue("echo 16 COMPLETED; echo 17 COMPLETING; echo 18 PENDING");
  EXPECT_EQ(alive("17", 0), true);
  squeue("echo 17 PENDING");  // requeued
  EXPECT_EQ(alive("17", 0), false);
  squeue("echo 17 CANCELLED; echo 18 RUNNING; echo 117 RUNNING");  // other tasks of its array
  EXPECT_EQ(alive("17", 0), false);
  squeue("");  // not a word of it
  EXPECT_EQ(alive("17", 0), false);
  squeue("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  EXPECT_EQ(alive("17", 0), false);
  squeue("echo 'Unable to contact slurm controller' >&2; exit 1");
  EXPECT_EQ(alive("17", 0), std::nullopt);
  squeue("echo 17 PENDING");
  EXPECT_EQ(alive("17", 0), std::nullopt) << "who does not answer is left alone for a moment";
}

/// Exit code 0: this process got the claim and met nobody else within.
int contend(const std::filesystem::path& run_dir, const std::filesystem::path& winners) {
  const auto held = HeldClaim::take(run_dir);
  if (!held) {
    return 1;
  }
  const std::filesystem::path inside = winners / "inside";
  const bool alone = std::filesystem::create_directory(inside);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::filesystem::remove(inside);
  std::ofstream(winners / std::to_string(::getpid())) << "won";
  return alone ? 0 : 2;
}

TEST(Claim, OfManyThatTakeOverAtOnceOneAtATimeWins) {
  const test::Scratch winners;
  for (int round = 0; round < 10; ++round) {
    const test::Scratch run;
    leave_dead_claim(run.path() / "claim");
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
      children.push_back(::fork());
      if (children.back() == 0) {
        ::_exit(contend(run.path(), winners.path()));
      }
    }
    for (const pid_t child : children) {
      int status = 0;
      ::waitpid(child, &status, 0);
      EXPECT_TRUE(WIFEXITED(status));
      EXPECT_NE(WEXITSTATUS(status), 2) << "two processes held one claim";
    }
    EXPECT_FALSE(has_claim(run.path()));
  }
  EXPECT_FALSE(std::filesystem::is_empty(winners.path()));
}

}  // namespace
}  // namespace adapt
