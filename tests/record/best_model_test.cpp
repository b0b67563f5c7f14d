// The second model of a run: the best one.

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "record/run_file.hpp"
#include "record/sample_run.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using namespace test;

TEST(BestModel, ComesBackWithItsEpochBesideTheLastOne) {
  const Scratch scratch;
  RunLog log(scratch.path(), "", {}, sample_layers());
  const std::vector<ModelTensor> tensors = sample_model();
  log.write_best_model(std::span(tensors).first(3), 1);
  log.write_best_model(std::span(tensors).last(2), 7);  // replaces
  log.write_model(tensors);
  log.finish();
  const RunFile file(scratch.path());
  const BestModel best = file.best_model();
  EXPECT_EQ(best.epoch, 7);
  ASSERT_EQ(best.tensors.size(), 2U);
  EXPECT_EQ(best.tensors[0].name, "fc.bias");
  EXPECT_EQ(best.tensors[0].numbers, tensors[3].numbers);
  EXPECT_EQ(file.model().size(), tensors.size());
}

TEST(BestModel, IsEmptyWhereNoneWasWritten) {
  const Scratch scratch;
  write_sample_run(scratch.path());
  const BestModel best = RunFile(scratch.path()).best_model();
  EXPECT_EQ(best.epoch, 0);
  EXPECT_TRUE(best.tensors.empty());
}

TEST(BestModel, DoesNotStandInForTheLastOne) {
  const Scratch scratch;
  RunLog log(scratch.path(), "", {}, sample_layers());
  log.write_best_model(sample_model(), 1);
  EXPECT_THROW(log.finish(), Failure);
}

}  // namespace
}  // namespace adapt
