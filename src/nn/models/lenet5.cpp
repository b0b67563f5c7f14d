#include "nn/models.hpp"

namespace adapt {

ModelDescription lenet5(const ModelInput& input) {
  return ModelBuilder("lenet5")
      .convolution("conv1", {.channels = 6, .kernel = 5, .padding = 2})
      .tanh()
      .average_pool(2)
      .convolution("conv2", {.channels = 16, .kernel = 5})
      .tanh()
      .average_pool(2)
      .convolution("conv3", {.channels = 120, .kernel = 5})
      .tanh()
      .linear("fc1", 84)
      .tanh()
      .linear("fc2", input.classes)
      .build();
}

}  // namespace adapt
