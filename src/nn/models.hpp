#pragma once

#include <string>
#include <vector>

#include "nn/description.hpp"
#include "nn/graph.hpp"

namespace adapt {

/// What a model is made for.
struct ModelInput {
  int classes = 10;
  int height = 32;  ///< of the images
  int width = 32;
};

/// The description of the model `name`. Throws BadInput for an unknown name (lists the known ones).
ModelDescription make_model(const std::string& name, const ModelInput& input);

/// The image (N = 1) that the model `name` is usually trained on; other sizes may fit, too. Throws as
/// make_model does.
Shape usual_image(const std::string& name);

/// Names that make_model knows.
std::vector<std::string> model_names();

/// LeNet-5 (LeCun et al. 1998) with tanh and average pooling, for 28×28 images (32×32 after padding).
ModelDescription lenet5(const ModelInput& input);

/// AlexNet for 32×32 images (algorithm.md "Models"; Krizhevsky et al. 2012, one linear layer). For 28×28
/// images, whose last feature map is 1×1, the last pooling is left out.
ModelDescription alexnet(const ModelInput& input);

/// Residual network of 6·blocks + 2 layers for small images (He et al. 2016, section 4.2): three stages of
/// 16, 32 and 64 channels with `blocks` basic blocks each, projection shortcuts (1×1 convolution and batch
/// norm) where the shape changes, global average pooling.
ModelDescription resnet(const ModelInput& input, int blocks);

}  // namespace adapt
