#pragma once

#include <string>
#include <vector>

#include "nn/description.hpp"
#include "nn/graph.hpp"

namespace adapt {

/// The description of the model `name` for `classes` classes. Throws BadInput for an unknown name (lists the
/// known ones).
ModelDescription make_model(const std::string& name, int classes);

/// The image (N = 1) that the model `name` is usually trained on; other sizes may fit, too. Throws as
/// make_model does.
Shape usual_image(const std::string& name);

/// Names that make_model knows.
std::vector<std::string> model_names();

/// LeNet-5 (LeCun et al. 1998) with tanh and average pooling, for 28×28 grey images (32×32 after padding).
ModelDescription lenet5(int classes);

}  // namespace adapt
