#include "base/memory.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "support/scratch.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kMega = 1'000'000;

/// A machine's files, as the kernel would show them.
class Machine : public testing::Test {
 protected:
  Machine() { write("proc/meminfo", "MemTotal: 16000000 kB\nMemFree: 10 kB\nMemAvailable:    8000000 kB\n"); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = scratch_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  /// A group of version 2 with `limit` and use in megabytes, and so much of the use in files.
  void group(const std::string& name, const std::string& limit, std::int64_t use, std::int64_t files = 0) {
    const std::string folder = "sys/fs/cgroup" + name + "/";
    write(folder + "memory.max", limit + "\n");
    write(folder + "memory.current", std::to_string(use * kMega) + "\n");
    write(folder + "memory.stat", "anon 5\nfile 7\ninactive_file " + std::to_string(files * kMega / 2) +
                                      "\nactive_file " + std::to_string(files * kMega / 2) + "\n");
  }
  [[nodiscard]] MemoryBound bound() const { return available_memory(scratch_.path()); }

  test::Scratch scratch_;
};

TEST_F(Machine, WithoutGroupsItIsWhatTheKernelCallsAvailable) {
  EXPECT_EQ(bound().bytes, std::int64_t{8000000} * 1024);
  EXPECT_EQ(bound().source, "MemAvailable");
}

TEST_F(Machine, TheTightestGroupCounts) {
  write("proc/self/cgroup", "0::/slurm/job_1/step_0\n");
  group("/slurm/job_1/step_0", "max", 1);
  EXPECT_EQ(bound().source, "MemAvailable");
  group("/slurm/job_1", "3000000000", 500);
  group("/slurm", "4000000000", 3500);
  EXPECT_EQ(bound().bytes, 500 * kMega);
  EXPECT_EQ(bound().source, "the limit of the control group /slurm, 4 GB");
  group("/slurm", "max", 3500);
  EXPECT_EQ(bound().bytes, 2500 * kMega);
  EXPECT_EQ(bound().source, "the limit of the control group /slurm/job_1, 3 GB");
}

TEST_F(Machine, FilesThatCanGoAreNotInUse) {
  write("proc/self/cgroup", "0::/job\n");
  group("/job", "3000000000", 2900, 2000);
  EXPECT_EQ(bound().bytes, 2100 * kMega);
}

TEST_F(Machine, AFullGroupHasNothingLeft) {
  write("proc/self/cgroup", "0::/job\n");
  group("/job", "3000000000", 3001);
  EXPECT_EQ(bound().bytes, 0);
}

// A container sees its own group as the root of the mount, and may see its name from outside.
TEST_F(Machine, InAContainerTheMountIsTheGroup) {
  group("", "2000000000", 500);
  for (const char* name : {"/", "/docker/0123"}) {
    write("proc/self/cgroup", concat("0::", name, "\n"));
    EXPECT_EQ(bound().bytes, 1500 * kMega) << name;
  }
}

TEST_F(Machine, Version1) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/slurm/uid_0/job_7\n1:name=systemd:/b\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.usage_in_bytes", "5000\n");
  EXPECT_EQ(bound().source, "MemAvailable");
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.stat", "total_inactive_file 3000000\n");
  EXPECT_EQ(bound().source, "MemAvailable") << "no limit, and a usage that was read a little earlier";
  write("sys/fs/cgroup/memory/slurm/uid_0/memory.limit_in_bytes", "1000000000\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/memory.usage_in_bytes", "900000000\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/memory.stat", "cache 1\ntotal_inactive_file 300000000\n");
  EXPECT_EQ(bound().bytes, 400 * kMega);
  EXPECT_EQ(bound().source, "the limit of the control group /slurm/uid_0, 1 GB");
}

TEST_F(Machine, DamagedFilesBoundNothing) {
  write("proc/self/cgroup", "\n0:\n::\n0::/job\n4:memory\n");
  group("/job", "a lot", 5);
  EXPECT_EQ(bound().source, "MemAvailable");
}

TEST(MemoryOfThisMachine, IsFound) {
  const MemoryBound bound = available_memory();
  EXPECT_GT(bound.bytes, kMega);
  EXPECT_FALSE(bound.source.empty());
}

TEST(MemoryOfThisProcess, FollowsItsLimits) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = rlim_t{1} << 45U;  // more than sanitizers reserve
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
  const MemoryBound bound = available_to_process();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_LT(bound.bytes, std::int64_t{1} << 45U);
  EXPECT_NE(bound.source.find("RLIMIT_AS"), std::string::npos);
}

TEST(BytesText, HasThreeDigits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(17'312'000'000), "17.3 GB");
  EXPECT_EQ(bytes_text(310'400'000), "310 MB");
}

}  // namespace
}  // namespace adapt
