#pragma once

#include <string>
#include <vector>

#include "nn/description.hpp"
#include "nn/options.hpp"

namespace adapt {

/// The model that the options mean, for `classes` classes. Throws BadInput for an unknown name (lists the
/// known ones), and for a graph that read_model refuses.
ModelDescription make_model(const ModelOptions& options, int classes);

/// The shipped model `name`.
ModelDescription make_model(const std::string& name, int classes);

/// The text of a model file without blocks (nn/model_file.hpp), which says the same as the options do.
std::string model_text(const ModelOptions& options);

/// The image (N = 1) that the model `name` is usually trained on; other sizes may fit, too. Throws as
/// make_model does.
Shape usual_image(const std::string& name);

/// Names of the models that are shipped, each a file in experiments/models/.
std::vector<std::string> model_names();

/// The text of such a file. Throws as make_model does.
std::string shipped_model(const std::string& name);

}  // namespace adapt
