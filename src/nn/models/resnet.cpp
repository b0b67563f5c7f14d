#include <array>

#include "base/error.hpp"
#include "nn/models.hpp"

namespace adapt {
namespace {

/// x → conv, BN, ReLU, conv, BN, + shortcut(x), ReLU. The convolutions have no bias: the batch norm behind
/// them has a shift.
void basic_block(ModelBuilder& model, const std::string& name, int channels, int stride, bool project) {
  const int entry = model.value();
  int shortcut = entry;
  if (project) {
    model
        .convolution(name + ".shortcut", {.channels = channels, .kernel = 1, .stride = stride, .bias = false})
        .batch_norm(name + ".shortcut_bn");
    shortcut = model.value();
  }
  model.from(entry)
      .convolution(name + ".conv1",
                   {.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false})
      .batch_norm(name + ".bn1")
      .relu()
      .convolution(name + ".conv2", {.channels = channels, .kernel = 3, .padding = 1, .bias = false})
      .batch_norm(name + ".bn2")
      .add(name + ".sum", shortcut)
      .relu();
}

int halved_twice(int size) { return ((size + 1) / 2 + 1) / 2; }

}  // namespace

ModelDescription resnet(const ModelInput& input, int blocks) {
  ModelBuilder model(concat("resnet", 6 * blocks + 2));
  model.convolution("conv1", {.channels = 16, .kernel = 3, .padding = 1, .bias = false})
      .batch_norm("bn1")
      .relu();
  constexpr std::array kChannels = {16, 32, 64};
  for (std::size_t stage = 0; stage < kChannels.size(); ++stage) {
    for (int block = 0; block < blocks; ++block) {
      const bool shrinks = stage > 0 && block == 0;
      basic_block(model, concat("stage", stage + 1, ".block", block + 1), kChannels[stage], shrinks ? 2 : 1,
                  shrinks);
    }
  }
  if (input.height != input.width) {
    throw BadInput(concat("the resnet family takes square images, got ", input.height, "×", input.width));
  }
  return model.average_pool(halved_twice(input.height)).linear("fc", input.classes).build();
}

}  // namespace adapt
