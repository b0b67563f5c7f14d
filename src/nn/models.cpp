#include "nn/models.hpp"

#include <array>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr Shape kCifarImage = {1, 3, 32, 32};

struct ModelEntry {
  const char* name;
  ModelDescription (*make)(const ModelInput& input);
  Shape usual_image;  // N = 1
};

template <int kBlocks>
ModelDescription resnet_of(const ModelInput& input) {
  return resnet(input, kBlocks);
}

/// The door for models: one file in models/ and one line here.
constexpr std::array kModels = {
    ModelEntry{"lenet5", lenet5, {1, 1, 28, 28}},        ModelEntry{"alexnet", alexnet, kCifarImage},
    ModelEntry{"resnet20", resnet_of<3>, kCifarImage},   ModelEntry{"resnet32", resnet_of<5>, kCifarImage},
    ModelEntry{"resnet44", resnet_of<7>, kCifarImage},   ModelEntry{"resnet56", resnet_of<9>, kCifarImage},
    ModelEntry{"resnet110", resnet_of<18>, kCifarImage},
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

ModelDescription make_model(const std::string& name, const ModelInput& input) {
  return find(name).make(input);
}

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
