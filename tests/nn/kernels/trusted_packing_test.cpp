// Weights in the layouts of oneDNN's primitives, by the library or, where it is wrong, by loops of our own.

#include "nn/kernels/trusted_packing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "base/fault.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

struct Layout {
  memory::dims dims;
  Tag tag;
};

/// With paddings along one dimension, along two, and without.
std::vector<Layout> layouts() {
  return {{{6, 1, 5, 5}, Tag::OIhw16i16o},    {{6, 1, 5, 5}, Tag::OIhw8i16o2i},
          {{24, 16, 3, 3}, Tag::OIhw8i16o2i}, {{16, 6, 5, 5}, Tag::IOhw8o16i2o},
          {{84, 120, 1, 1}, Tag::OIhw16i64o}, {{32, 16, 3, 3}, Tag::OIhw16i16o},
          {{3, 4, 2, 2}, Tag::hwio},          {{3, 4, 2, 2}, Tag::oihw}};
}

/// Whether what was packed unpacks to the same numbers, and holds no others.
bool packs_all(const Layout& layout, memory::data_type type) {
  const memory::desc description(layout.dims, type, layout.tag);
  std::size_t count = 1;
  for (const std::int64_t size : layout.dims) {
    count *= static_cast<std::size_t>(size);
  }
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = static_cast<float>(i % 200) + 1;
  }
  std::vector<std::uint16_t> halves(description.get_size() / 2, 0x5A5A);
  const memory packed(description, onednn::engine(), halves.data());
  const memory plain(onednn::plain(layout.dims), onednn::engine(), numbers.data());
  pack(plain, packed);
  std::vector<float> back(count);
  onednn::reorder(packed, {onednn::plain(layout.dims), onednn::engine(), back.data()});
  std::size_t filled = 0;
  const std::size_t width = type == memory::data_type::bf16 ? 1 : 2;
  for (std::size_t i = 0; i < halves.size(); i += width) {
    filled +=
        std::any_of(&halves[i], &halves[i] + width, [](std::uint16_t half) { return half != 0; }) ? 1 : 0;
  }
  return back == numbers && filled == count;
}

bool packs_all() {
  return std::ranges::all_of(layouts(), [](const Layout& layout) {
    return packs_all(layout, memory::data_type::f32) && packs_all(layout, memory::data_type::bf16);
  });
}

TEST(TrustedPacking, PutsEachWeightInItsPlaceAndZerosElsewhere) { EXPECT_TRUE(packs_all()); }

[[noreturn]] void pack_with_wrong_library() {
  ::setenv("ADAPT_FAULT", "falsify,phase=trusted_packing", 1);
  fault::arm(0);
  std::cerr << (packs_all() ? "all" : "some");
  std::exit(0);
}

TEST(TrustedPacking, OwnLoopsTakeThePlaceOfAWrongLibrary) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(pack_with_wrong_library(), testing::ExitedWithCode(0),
              "adapt: warning: oneDNN [^\n]* packs weights of 6x1x5x5 wrongly[^\n]*\n"
              "(adapt: warning: oneDNN [^\n]*\n)*all$");
}

}  // namespace
}  // namespace adapt
