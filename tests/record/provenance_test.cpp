#include "record/provenance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace adapt {
namespace {

TEST(Provenance, NamesBuildMachineAndTime) {
  const auto values = build_provenance();
  for (const char* name :
       {"adapt_version", "git_commit", "git_dirty", "compiler", "compiler_flags", "build_type",
        "hdf5_version", "cpu_model", "instruction_sets", "host", "start_time"}) {
    ASSERT_TRUE(values.contains(name)) << name;
    EXPECT_NE(values.at(name), "") << name;
    EXPECT_EQ(values.at(name).find('\n'), std::string::npos) << name;
  }
  const std::string commit = values.at("git_commit");
  EXPECT_TRUE(commit == "unknown" || commit.find_first_not_of("0123456789abcdef") == std::string::npos)
      << commit;
  EXPECT_TRUE(std::set<std::string>({"true", "false", "unknown"}).contains(values.at("git_dirty")));
}

TEST(Provenance, StartTimeIsIso8601InUtc) {
  std::string time = build_provenance().at("start_time");
  std::replace_if(
      time.begin(), time.end(), [](unsigned char c) { return std::isdigit(c) != 0; }, '0');
  EXPECT_EQ(time, "0000-00-00T00:00:00Z");
}

}  // namespace
}  // namespace adapt
