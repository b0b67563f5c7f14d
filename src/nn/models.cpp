#include "nn/models.hpp"

#include <array>

#include "base/error.hpp"

namespace adapt {
namespace {

struct ModelEntry {
  const char* name;
  ModelDescription (*make)(int classes);
};

/// The door for models: one file in models/ and one line here.
constexpr std::array kModels = {
    ModelEntry{"lenet5", lenet5},
};

}  // namespace

ModelDescription make_model(const std::string& name, int classes) {
  std::string known;
  for (const ModelEntry& entry : kModels) {
    if (entry.name == name) {
      return entry.make(classes);
    }
    known += concat(known.empty() ? "" : ", ", entry.name);
  }
  throw BadInput(concat("unknown model '", name, "'; known: ", known));
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  names.reserve(kModels.size());
  for (const ModelEntry& entry : kModels) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace adapt
