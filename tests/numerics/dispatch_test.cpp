#include "numerics/dispatch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "numerics/quantize.hpp"

namespace adapt::vector {
namespace {

TEST(Dispatch, TakesTheFastestUnlessAskedForLess) {
  std::string_view fastest;
  for (const std::string_view name : kLevels) {
    const auto found = find_level(name);
    if (!found) {
      EXPECT_THROW((void)select_level(name), BadInput);
      continue;
    }
    const Level chosen = select_level(name);
    EXPECT_EQ(chosen.name, name);
    EXPECT_EQ(chosen.kernels, found->kernels);
    EXPECT_EQ(chosen.bytes, found->bytes);
    EXPECT_EQ(chosen.words, found->words);
    fastest = name;
  }
  EXPECT_EQ(select_level("").name, fastest);
}

TEST(Dispatch, EachLevelHasProductsOfItsOwn) {
  EXPECT_EQ(find_level("generic")->words, &generic::kWords);
  EXPECT_EQ(find_level("generic")->bytes, nullptr);
  if (const auto avx2 = find_level("avx2")) {
    EXPECT_EQ(avx2->kernels, &avx2::kKernels);
    EXPECT_EQ(avx2->words, &avx2::kWords);
    EXPECT_EQ(avx2->bytes, nullptr);
  }
  if (const auto avx_vnni = find_level("avx_vnni")) {
    EXPECT_EQ(avx_vnni->kernels, &avx2::kKernels);
    EXPECT_EQ(avx_vnni->bytes, &avx_vnni::kBytes);
    EXPECT_EQ(avx_vnni->words, &avx_vnni::kWords);
    EXPECT_EQ(avx_vnni->floats, &avx2::kFloatProducts);
  }
  if (const auto vnni = find_level("vnni")) {
    EXPECT_EQ(vnni->kernels, &avx512::kKernels);
    EXPECT_EQ(vnni->bytes, &vnni::kBytes);
  }
}

TEST(Dispatch, GenericRunsEverywhere) { EXPECT_NE(find_kernels("generic"), nullptr); }

TEST(Dispatch, AnUnknownNameIsBadInputThatListsTheChoice) {
  EXPECT_EQ(find_kernels("sse9"), nullptr);
  EXPECT_FALSE(find_level("sse9"));
  try {
    (void)select_level("sse9");
    FAIL() << "expected BadInput";
  } catch (const BadInput& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("sse9"), std::string::npos) << message;
    EXPECT_NE(message.find("generic"), std::string::npos) << message;
  }
}

TEST(Dispatch, ThePublicNameIsTheChoice) { EXPECT_STREQ(vector_isa(), kernels().name); }

TEST(Dispatch, GridOfAFormat) {
  const Grid grid = grid_of({.word_length = 8, .fractional_length = 4});
  EXPECT_EQ(grid.scale, 16.0F);
  EXPECT_EQ(grid.step, 0.0625F);
  EXPECT_EQ(grid.low, -128.0F);
  EXPECT_EQ(grid.high, 127.0F);
  EXPECT_EQ(grid.excess, 0);
}

TEST(Dispatch, GridWhoseHighestNumberIsNoFloat) {
  const Grid grid = grid_of({.word_length = 32, .fractional_length = 0});
  EXPECT_EQ(grid.high, 2147483520.0F);
  EXPECT_EQ(grid.excess, 127);
  EXPECT_EQ(grid_of({.word_length = 25, .fractional_length = 0}).excess, 0);
  EXPECT_EQ(grid_of({.word_length = 26, .fractional_length = 0}).excess, 1);
}

}  // namespace
}  // namespace adapt::vector
