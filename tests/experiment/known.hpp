#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "experiment/configuration.hpp"

namespace adapt::test {

/// Stands for the program's registries.
inline KnownNames known_names() {
  return {{"lenet5", "alexnet", "resnet20"}, {"mnist", "cifar10", "procedural"}};
}

inline Configuration parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_configuration(text, "a.yaml", overrides, known_names());
}

/// The message of the BadInput that reading `text` ends with, or "accepted".
inline std::string refusal(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace adapt::test
