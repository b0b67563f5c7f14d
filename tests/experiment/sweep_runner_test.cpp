#include "experiment/sweep_runner.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace adapt {
namespace {

/// The command line for two ranks, in one text.
std::string launcher() {
  std::string line;
  for (const std::string& word : local_launcher(2, 1, 1)) {
    line += word + " ";
  }
  return line;
}

TEST(LocalLauncher, NeedsNoNetwork) {
  ::unsetenv("OMPI_MCA_btl_tcp_if_include");
  ::unsetenv("OMPI_MCA_btl_tcp_if_exclude");
  EXPECT_NE(launcher().find(" --mca btl_tcp_if_include lo "), std::string::npos) << launcher();
  ::setenv("OMPI_MCA_btl_tcp_if_exclude", "eth1", 1);
  EXPECT_EQ(launcher().find("btl_tcp"), std::string::npos) << "the user has chosen: " << launcher();
  ::unsetenv("OMPI_MCA_btl_tcp_if_exclude");
}

TEST(LocalLauncher, IsNotThereForOneRank) { EXPECT_TRUE(local_launcher(1, 4, 1).empty()); }

TEST(ShareCores, GivesEachRunItsOwn) {
  const std::vector<std::vector<int>> shared = {{0, 2}, {4, 6}};
  EXPECT_EQ(share_cores({0, 2, 4, 6, 8}, 2, 2), shared);
  EXPECT_TRUE(share_cores({0, 2, 4}, 2, 2).empty()) << "too few: the system places them";
}

}  // namespace
}  // namespace adapt
