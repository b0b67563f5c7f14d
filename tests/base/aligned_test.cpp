#include "base/aligned.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace adapt {
namespace {

TEST(AlignedVector, StandsOnCacheLinesAndLargeOnesOnLargePages) {
  const auto place = [](const AlignedVector<char>& block) {
    return reinterpret_cast<std::uintptr_t>(block.data());
  };
  constexpr std::size_t kLargePage = std::size_t{1} << 21U;
  for (const std::size_t bytes : {std::size_t{1}, kLargePage - 1, kLargePage, 3 * kLargePage + 5}) {
    const AlignedVector<char> block(bytes, 'x');
    EXPECT_EQ(place(block) % (bytes < kLargePage ? 64 : kLargePage), 0U) << bytes;
    EXPECT_EQ(block.back(), 'x');
  }
}

}  // namespace
}  // namespace adapt
