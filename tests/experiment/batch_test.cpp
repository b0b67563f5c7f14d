// Batch scripts and submissions.

#include "experiment/batch.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/shell.hpp"
#include "experiment/slurm_queue.hpp"
#include "experiment/stored_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

TEST(Batch, SettingsStandBetweenTheOptionsOfTheTemplateAndItsCommandsResourcesOnTheCommandLine) {
  Submission submission;
  submission.id = "g-1";
  submission.chunk = 2;
  submission.runs.resize(5);
  SlurmOptions options;
  options.account = "physics";
  options.throttle = 4;
  options.setup = {"module load 'a'", "true"};
  options.options = {"--comment=a b"};
  const std::string base =
      "#!/bin/bash\n#SBATCH --requeue\n# a comment\n#SBATCH --signal=B:USR1@30\nset -u\n";
  const Batch batch = make_batch(base, RunStore("/s 1%"), submission, options, 3, "/bin/adapt");
  const std::vector<std::string> resources = {
      "--export=ALL",        "--job-name=adapt-g-1",
      "--array=0-2%4",       "--output=/s 1%%/submissions/g-1-%A_%a.txt",
      "--account=physics",   "--nodes=1",
      "--ntasks-per-node=1", "--cpus-per-task=3",
      "--signal=B:USR1@30",  "--comment=a b"};
  EXPECT_EQ(batch.options, resources);
  EXPECT_EQ(batch.script, concat("#!/bin/bash\n#SBATCH --requeue\n# a comment\n#SBATCH --signal=B:USR1@30\n"
                                 "# Submitted with: sbatch ",
                                 shell_line(resources),
                                 "\nexport ADAPT_SLURM_MAX_REQUEUES=100\n"
                                 "ADAPT_SLURM_NOTES='/s 1%/submissions/g-1'\n"
                                 "ADAPT_SLURM_SETUP='module load '\\''a'\\''\ntrue'\nset -u\n"));
  EXPECT_EQ(batch.command,
            (std::vector<std::string>{"/bin/adapt", "sweep", "--store", "/s 1%", "--submission", "g-1"}));
  EXPECT_THROW(make_batch(base, RunStore("/s\\t"), submission, options, 3, "x"), BadInput);
  EXPECT_THROW(make_batch("#!/bin/bash", RunStore("/s"), submission, options, 3, "x"), BadInput);
}

TEST(Submission, ChunksGrowWhereAnArrayIsTooShort) {
  EXPECT_EQ(chunk_size(10, 1, 1001), 1);
  EXPECT_EQ(chunk_size(10, 4, 1001), 4);
  EXPECT_EQ(chunk_size(1001, 1, 1001), 1);
  EXPECT_EQ(chunk_size(1002, 1, 1001), 2);
  EXPECT_EQ(chunk_size(5000, 2, 1001), 5);
}

TEST(Submission, IsFrozenUnderANameOfItsOwn) {
  const test::Scratch scratch;
  const RunStore store(scratch.path() / "store");
  Grid grid;
  grid.name = "g";
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const Configuration configuration = test::stored_configuration(seed);
    grid.runs.push_back({configuration, store_identity(configuration), concat("seed=", seed)});
    store.prepare(grid.runs.back().identity, configuration);
  }
  Submission first = freeze(store, grid, grid.runs, 2);
  const Submission second = freeze(store, grid, {grid.runs[1]}, 1);
  EXPECT_EQ(first.id, "g-1");
  EXPECT_EQ(second.id, "g-2");
  first.job = "17";
  save(store, first);
  const auto all = load_submissions(store);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].job, "17");
  EXPECT_EQ(all[0].tasks(), 2);
  const auto runs = runs_of_task(all[0], 1);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].identity, grid.runs[2].identity);
  EXPECT_EQ(runs[0].label, "seed=2");
  EXPECT_THROW(runs_of_task(all[0], 2), BadInput);
  EXPECT_THROW(load_submission(store, "g-3"), BadInput);
}

TEST(Submission, NothingIsWrittenThroughALink) {
  const test::Scratch scratch;
  const RunStore store(scratch.path() / "store");
  const Configuration configuration = test::stored_configuration(1);
  Grid grid;
  grid.name = "g";
  grid.runs.push_back({configuration, store_identity(configuration), "seed=1"});
  Submission before = freeze(store, grid, grid.runs, 1);
  const std::filesystem::path folder = scratch.path() / "store" / "submissions";
  const std::filesystem::path elsewhere = scratch.path() / "elsewhere";
  std::filesystem::rename(folder, elsewhere);
  std::filesystem::create_directory_symlink("../elsewhere", folder);
  EXPECT_EQ(load_submissions(store).size(), 1U) << "links are read";
  EXPECT_THROW(freeze(store, grid, grid.runs, 1), BadInput);
  EXPECT_THROW(save(store, before), BadInput);
  EXPECT_THROW(submit(Batch(), submission_path(store, before.id, ".sbatch")), BadInput);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(elsewhere), {}), 1);
  std::filesystem::remove(folder);
  std::ofstream(folder) << "a file";
  EXPECT_THROW(freeze(store, grid, grid.runs, 1), BadInput);
}

}  // namespace
}  // namespace adapt
