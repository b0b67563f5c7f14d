// A product of float32 or bfloat16 numbers that the library computes wrongly, or beside its memory, is found
// out before a layer uses it, and another of the library's implementations is taken.

#include "nn/kernels/trusted_product.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "base/error.hpp"
#include "base/fault.hpp"
#include "nn/kernels/guarded_memory.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/small_model.hpp"
#include "numerics/random.hpp"
#include "support/model_builder.hpp"

namespace adapt {
namespace {

using dnnl::memory;

TEST(GuardedMemory, TellsWhoWritesBesideIt) {
  for (const std::ptrdiff_t place : {-1, 24}) {
    GuardedMemory tensor(onednn::plain({2, 3}));
    auto* const bytes = static_cast<std::uint8_t*>(tensor.get().get_data_handle());
    std::fill(bytes, bytes + 24, std::uint8_t{0});
    EXPECT_TRUE(tensor.is_intact());
    bytes[place] = 0;
    EXPECT_FALSE(tensor.is_intact());
  }
}

/// Describes the products of `layer` and takes each to an implementation that is right for `expected`; the
/// roles of those for which there is none.
std::vector<ProductRole> wrong_products(const WindowProduct& layer, const WindowProduct& expected,
                                        memory::data_type type) {
  std::vector<ProductRole> wrong;
  const auto try_to_trust = [&](dnnl::primitive_desc& product, ProductRole role) {
    try {
      trust(product, role, expected);
    } catch (const Failure&) {
      wrong.push_back(role);
    }
  };
  const auto& [in, out, kernel, stride, padding, transposed, groups] = layer;
  const memory::dims weight_dims = onednn::weight_dims(layer);
  onednn::ProductShapes shapes = {onednn::activation(in.n, in.c, in.h, in.w, type),
                                  onednn::any_layout(weight_dims, type), onednn::plain({out.c}),
                                  onednn::activation(out.n, out.c, out.h, out.w, type)};
  const onednn::Window window = onednn::window_of({kernel, stride, padding}, in, out);
  auto forward = onednn::convolution_forward(/*training=*/true, shapes, window);
  try_to_trust(forward, ProductRole::forward);
  auto data = onednn::convolution_backward_data(shapes, window, forward);
  try_to_trust(data, ProductRole::data_gradient);
  shapes.weights = onednn::any_layout(weight_dims);
  auto weights = onednn::convolution_backward_weights(shapes, window, forward);
  try_to_trust(weights, ProductRole::weight_gradient);
  return wrong;
}

/// Shapes as networks do not have them, too: borders in no window, strides larger than kernels, maps of a
/// pixel.
std::vector<WindowProduct> random_layers(int count) {
  RandomSequence random({.seed = 3});
  const auto between = [&](int least, int most) {
    return least + static_cast<int>(random.below(static_cast<std::uint32_t>(most - least + 1)));
  };
  std::vector<WindowProduct> layers;
  while (static_cast<int>(layers.size()) < count) {
    WindowProduct layer;
    layer.kernel = between(1, 5);
    layer.stride = between(1, 3);
    layer.padding = between(0, layer.kernel - 1);
    layer.groups = random.below(3) == 0 ? between(2, 24) : 1;
    const auto channels = [&] { return layer.groups * between(1, std::max(1, 24 / layer.groups)); };
    layer.source = {between(1, 6), channels(), between(1, 12), between(1, 12)};
    const auto places = [&](int size) {
      return (size + 2 * layer.padding - layer.kernel) / layer.stride + 1;
    };
    if (std::min(layer.source.h, layer.source.w) + 2 * layer.padding >= layer.kernel) {
      layer.destination = {layer.source.n, channels(), places(layer.source.h), places(layer.source.w)};
      layers.push_back(layer);
    }
  }
  return layers;
}

TEST(TrustedProduct, SomeImplementationIsRightForEachShape) {
  for (const WindowProduct& layer : random_layers(200)) {
    EXPECT_TRUE(wrong_products(layer, layer, memory::data_type::f32).empty());
  }
}

TEST(TrustedProduct, SomeImplementationIsRightInBfloat16) {
  if (!onednn::has_bfloat16()) {
    GTEST_SKIP() << "this processor has no bfloat16";
  }
  for (const WindowProduct& layer : random_layers(100)) {
    EXPECT_TRUE(wrong_products(layer, layer, memory::data_type::bf16).empty());
  }
}

TEST(TrustedProduct, SumsOverManyImagesStayExact) {
  const WindowProduct layer = {{20001, 3, 9, 9}, {20001, 4, 9, 9}, 3, 1, 1};
  EXPECT_TRUE(wrong_products(layer, layer, memory::data_type::f32).empty());
  const WindowProduct linear = {{300000, 7, 1, 1}, {300000, 5, 1, 1}};
  EXPECT_TRUE(wrong_products(linear, linear, memory::data_type::f32).empty());
}

/// A product of other terms than it is asked for is a wrong one, whatever computes it.
TEST(TrustedProduct, NoImplementationOfAnotherProductIsRight) {
  const WindowProduct layer = {{5, 3, 6, 7}, {5, 4, 6, 7}, 3, 1, 1};
  WindowProduct other = layer;
  other.padding = 0;
  EXPECT_EQ(wrong_products(layer, other, memory::data_type::f32).size(), 3U);
}

/// The first implementation of each product is made wrong on purpose. Ends the process.
[[noreturn]] void train_with_wrong_library() {
  const ModelDescription model = ModelBuilder("small")
                                     .convolution("a", {.channels = 5, .kernel = 3, .padding = 1})
                                     .convolution("b", {.channels = 4, .kernel = 3, .stride = 2})
                                     .linear("c", 4)
                                     .build();
  const auto gradients = [&] {
    test::SmallModel small(model, {4, 2, 9, 8});
    Pass pass;
    small.network.forward(small.images, small.labels, pass);
    small.network.backward(pass);
    std::vector<float> all;
    for (const Parameter& parameter : small.state->parameters) {
      all.insert(all.end(), parameter.gradient.begin(), parameter.gradient.end());
    }
    return all;
  };
  ::setenv("ADAPT_FAULT", "falsify,phase=trusted_product", 1);
  fault::arm(0);
  const std::vector<float> others = gradients();
  ::unsetenv("ADAPT_FAULT");
  fault::arm(0);
  const std::vector<float> usual = gradients();
  const bool near = std::equal(others.begin(), others.end(), usual.begin(),
                               [](float a, float b) { return std::abs(a - b) <= 1e-4F * (1 + std::abs(b)); });
  std::cerr << (near ? "near" : "far");
  std::exit(0);
}

TEST(TrustedProduct, AWrongImplementationIsLeftWithOneLine) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(train_with_wrong_library(), testing::ExitedWithCode(0),
              "^(adapt: warning: oneDNN [^\n]*\n)*"
              "adapt: warning: oneDNN [0-9.]+ [^\n]*wrong forward pass of 2 to 5 channels[^\n]*\n"
              "(adapt: warning: oneDNN [^\n]*\n)*near$");
}

}  // namespace
}  // namespace adapt
