#include "nn/models.hpp"

#include <array>

#include "base/error.hpp"

namespace adapt {
namespace {

struct ModelEntry {
  const char* name;
  ModelDescription (*make)(int classes);
  Shape usual_image;  // N = 1
};

/// The door for models: one file in models/ and one line here.
constexpr std::array kModels = {
    ModelEntry{"lenet5", lenet5, {1, 1, 28, 28}},
};

const ModelEntry& find(const std::string& name) {
  std::string known;
  for (const ModelEntry& entry : kModels) {
    if (entry.name == name) {
      return entry;
    }
    known += concat(known.empty() ? "" : ", ", entry.name);
  }
  throw BadInput(concat("unknown model '", name, "'; known: ", known));
}

}  // namespace

ModelDescription make_model(const std::string& name, int classes) { return find(name).make(classes); }

Shape usual_image(const std::string& name) { return find(name).usual_image; }

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  names.reserve(kModels.size());
  for (const ModelEntry& entry : kModels) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace adapt
