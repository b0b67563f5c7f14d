#include "record/provenance.hpp"

#include <gtest/gtest.h>

#include <regex>

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
  EXPECT_TRUE(std::regex_match(values.at("git_commit"), std::regex("[0-9a-f]{40,64}|unknown")));
  EXPECT_TRUE(std::regex_match(values.at("git_dirty"), std::regex("true|false|unknown")));
  EXPECT_TRUE(std::regex_match(values.at("start_time"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
}

}  // namespace
}  // namespace adapt
