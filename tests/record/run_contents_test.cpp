// What a child process says of a run: whatever it is, it is a run, or refused.

#include "record/run_contents.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "sample_run.hpp"

namespace adapt {
namespace {

RunContents sample() {
  RunContents contents;
  contents.layers = test::sample_layers();
  contents.steps = {test::sample_step(1)};
  contents.switches = {test::sample_switch(1, 2)};
  contents.layer_rows["conv0"] = {test::sample_layer_row(1, 1)};
  contents.model = test::sample_model();
  return contents;
}

/// As it comes out of another process that holds it.
RunContents passed_on(const RunContents& contents) { return decode_run_contents(encode(contents)); }

TEST(RunContents, ComeBackAsTheyAre) {
  RunContents contents = sample();
  contents.stripped = true;
  const RunContents back = passed_on(contents);
  EXPECT_TRUE(back.stripped);
  EXPECT_EQ(back.layers, contents.layers);
  ASSERT_EQ(back.layer_rows.at("conv0").size(), 1U);
  const LayerRecord& row = back.layer_rows.at("conv0").front();
  EXPECT_EQ(row.formats, test::sample_layer_row(1, 1).formats);
  EXPECT_EQ(row.state.lookback, 26);
  EXPECT_EQ(row.density, 0.75);
  EXPECT_EQ(back.switches.front().minimal, (FixedFormat{6, -3}));
  EXPECT_EQ(encode(back), encode(contents));
}

TEST(RunContents, OtherBytesThanOneAreNotTrue) {
  std::vector<std::byte> bytes = encode(RunContents());
  bytes.at(sizeof(Done)) = std::byte{2};  // stripped
  EXPECT_THROW(decode_run_contents(bytes), BadInput);
}

TEST(RunContents, WhatNoRunHoldsIsRefused) {
  RunContents format = sample();
  format.layer_rows["conv0"].front().formats.gradients = FixedFormat{99, 0};
  EXPECT_THROW(passed_on(format), BadInput);
  RunContents layer = sample();
  layer.switches.front().layer = 3;
  EXPECT_THROW(passed_on(layer), BadInput);
  RunContents tensor = sample();
  tensor.model.front().dims = {7};
  EXPECT_THROW(passed_on(tensor), BadInput);
  RunContents done;
  done.done = static_cast<Done>(3);
  EXPECT_THROW(passed_on(done), BadInput);
}

}  // namespace
}  // namespace adapt
