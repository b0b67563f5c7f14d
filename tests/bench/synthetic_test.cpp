#include "bench/synthetic.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"
#include "nn/graph.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"

namespace adapt {
namespace {

TEST(Synthetic, HasTheShapeThatTheModelTakes) {
  for (const std::string& model : model_names()) {
    const DataSplits data = synthetic_images(model, 40);
    const ImageShape shape = data.train->shape();
    EXPECT_EQ(data.train->size(), 40);
    EXPECT_EQ(data.train->classes(), 10);
    EXPECT_NO_THROW(lower(make_model(model, data.train->classes()),
                          {2, shape.channels, shape.height, shape.width}, true));
  }
  EXPECT_EQ(synthetic_images("lenet5", 1).train->shape(), (ImageShape{28, 28, 1}));
  EXPECT_THROW(synthetic_images("lenet6", 1), BadInput);
}

TEST(Synthetic, ImagesAndLabelsDifferAndComeBackTheSame) {
  const DataSplits data = synthetic_images("lenet5", 40);
  std::vector<std::uint8_t> pixels(28 * 28);
  std::set<std::vector<std::uint8_t>> images;
  std::set<int> labels;
  for (int i = 0; i < 40; ++i) {
    labels.insert(data.train->read(i, pixels));
    images.insert(pixels);
  }
  EXPECT_EQ(images.size(), 40U);
  EXPECT_GT(labels.size(), 5U);
  EXPECT_LT(*labels.rbegin(), 10);
  EXPECT_EQ(synthetic_images("lenet5", 40).train->checksum(), data.train->checksum());
}

}  // namespace
}  // namespace adapt
