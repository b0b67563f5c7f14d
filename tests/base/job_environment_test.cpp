// What a job's variables do to the programs that are started within it: nothing.

#include "base/job_environment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace adapt {
namespace {

const std::vector<std::string> kScheduler = {"SLURM_JOB_ID",     "SLURM_NTASKS", "SLURMD_NODENAME",
                                             "SBATCH_TIMELIMIT", "SALLOC_QOS",   "SQUEUE_FORMAT",
                                             "SCONTROL_ALL"};
const std::vector<std::string> kLauncher = {
    "PMIX_RANK",   "PMI_RANK", "PRTE_LAUNCHED", "OMPI_COMM_WORLD_RANK", "OMPI_MCA_orte_hnp_uri",
    "OMPI_MCA_ess"};
const std::vector<std::string> kSettings = {"SLURM_CONF",   "SLURM_JWT",  "OMPI_MCA_btl_tcp_if_include",
                                            "PMIX_MCA_gds", "PRTE_MCA_x", "OMPI_ALLOW_RUN_AS_ROOT",
                                            "ADAPT_DATA",   "PATH"};

class JobEnvironment : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& names : {kScheduler, kLauncher, kSettings}) {
      for (const std::string& name : names) {
        if (::setenv(name.c_str(), "x=y z", 0) == 0 && name != "PATH") {
          set_.push_back(name);
        }
      }
    }
  }
  void TearDown() override {
    for (const std::string& name : set_) {
      ::unsetenv(name.c_str());
    }
  }

  /// How many of the variables the environment holds.
  static std::size_t count(const Environment& environment, const std::vector<std::string>& names) {
    return static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [&](const std::string& name) {
      return std::any_of(environment.begin(), environment.end(),
                         [&](const std::string& entry) { return entry.starts_with(name + "="); });
    }));
  }

  std::vector<std::string> set_;
};

TEST_F(JobEnvironment, OutsideJobsThereIsNoWordOfOne) {
  const Environment environment = environment_outside_jobs();
  EXPECT_EQ(count(environment, kScheduler), 0U);
  EXPECT_EQ(count(environment, kLauncher), 0U);
  EXPECT_EQ(count(environment, kSettings), kSettings.size());
}

TEST_F(JobEnvironment, ALauncherKnowsTheJobButNoOtherLauncher) {
  const Environment environment = environment_for_launcher();
  EXPECT_EQ(count(environment, kScheduler), kScheduler.size());
  EXPECT_EQ(count(environment, kLauncher), 0U);
  EXPECT_EQ(count(environment, kSettings), kSettings.size());
}

TEST_F(JobEnvironment, ItsOwnIsWhole) {
  const Environment environment = own_environment();
  EXPECT_EQ(count(environment, kScheduler) + count(environment, kLauncher) + count(environment, kSettings),
            kScheduler.size() + kLauncher.size() + kSettings.size());
  EXPECT_NE(std::find(environment.begin(), environment.end(), "PMIX_RANK=x=y z"), environment.end());
}

}  // namespace
}  // namespace adapt
