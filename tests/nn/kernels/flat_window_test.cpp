// A window that is the whole image as a linear layer.

#include "nn/kernels/flat_window.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace adapt {
namespace {

TEST(FlatWindow, IsALinearLayerOverTheImageAsItStands) {
  const FlatWindow window({{7, 3, 2, 2}, {7, 5, 1, 1}, 2, 1, 0});
  ASSERT_TRUE(window.is_flat());
  EXPECT_EQ(window.geometry().input.c, 12);
  EXPECT_EQ(window.geometry().input.h, 1);
  EXPECT_EQ(window.geometry().kernel, 1);
  std::vector<int> weights(5 * 3 * 4);  // (OC, IC, KH, KW)
  std::iota(weights.begin(), weights.end(), 0);
  const std::vector<int> layer = weights;
  window.flatten<int>(weights);
  for (std::size_t o = 0; o < 5; ++o) {
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t pixel = 0; pixel < 4; ++pixel) {
        EXPECT_EQ(weights[(o * 4 + pixel) * 3 + i], layer[(o * 3 + i) * 4 + pixel]);
      }
    }
  }
  window.unflatten<int>(weights);
  EXPECT_EQ(weights, layer);
}

TEST(FlatWindow, OtherLayersAreWhatTheyWere) {
  for (const ProductGeometry& layer :
       {ProductGeometry{{2, 3, 4, 4}, {2, 5, 1, 1}, 3, 1, 0},      // one window, not of all
        ProductGeometry{{2, 3, 3, 3}, {2, 5, 3, 3}, 3, 1, 1},      // windows beyond the border
        ProductGeometry{{2, 4, 3, 3}, {2, 8, 1, 1}, 3, 1, 0, 2},   // groups
        ProductGeometry{{2, 30, 1, 1}, {2, 8, 1, 1}, 1, 1, 0}}) {  // linear already
    const FlatWindow window(layer);
    EXPECT_FALSE(window.is_flat());
    EXPECT_EQ(window.geometry().kernel, layer.kernel);
    std::vector<int> weights = {3, 1, 2};
    window.flatten<int>(weights);
    EXPECT_EQ(weights, (std::vector{3, 1, 2}));
  }
}

}  // namespace
}  // namespace adapt
