#include "nn/models.hpp"

namespace adapt {

ModelDescription alexnet(const ModelInput& input) {
  ModelBuilder model("alexnet");
  model.convolution("conv1", {.channels = 64, .kernel = 11, .stride = 4, .padding = 5}).relu().max_pool(2);
  model.convolution("conv2", {.channels = 192, .kernel = 5, .padding = 2}).relu().max_pool(2);
  model.convolution("conv3", {.channels = 384, .kernel = 3, .padding = 1}).relu();
  model.convolution("conv4", {.channels = 256, .kernel = 3, .padding = 1}).relu();
  model.convolution("conv5", {.channels = 256, .kernel = 3, .padding = 1}).relu();
  // The first convolution divides the size by 4, each pooling by 2.
  const bool room_for_pooling = (input.height + 3) / 4 / 4 >= 2 && (input.width + 3) / 4 / 4 >= 2;
  if (room_for_pooling) {
    model.max_pool(2);
  }
  return model.linear("fc", input.classes).build();
}

}  // namespace adapt
