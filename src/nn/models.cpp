#include "nn/models.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "nn/model_file.hpp"
#include "nn/shipped_models.hpp"

namespace adapt {
namespace {

/// The text of the options' model, and what it is called in messages.
std::pair<std::string, std::string> source_of(const ModelOptions& options) {
  if (options.graph.empty()) {
    return {shipped_model(options.name), "model " + options.name};
  }
  if (!options.text.empty()) {
    return {options.text, options.file};
  }
  return {options.graph, concat("model ", options.name, " (model.graph)")};
}

}  // namespace

ModelDescription make_model(const ModelOptions& options, int classes) {
  const auto [text, source] = source_of(options);
  return read_model(text, source, classes);
}

ModelDescription make_model(const std::string& name, int classes) {
  ModelOptions options;
  options.name = name;
  return make_model(options, classes);
}

std::string model_text(const ModelOptions& options) {
  const auto [text, source] = source_of(options);
  return flat_text(text, source);
}

Shape usual_image(const std::string& name) { return make_model(name, /*classes=*/2).image; }

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  std::transform(std::begin(kShippedModels), std::end(kShippedModels), std::back_inserter(names),
                 [](const ShippedModel& model) { return model.name; });
  return names;
}

std::string shipped_model(const std::string& name) {
  for (const ShippedModel& model : kShippedModels) {
    if (model.name == name) {
      return model.text;
    }
  }
  throw BadInput(concat("unknown model '", name, "'; known: ", join_names(model_names())));
}

}  // namespace adapt
