#include "nn/dead_channels.hpp"

#include <algorithm>
#include <span>

#include "numerics/sum.hpp"

namespace adapt {
namespace {

constexpr float kLeastShare = 1.0F / 256;

/// Marks channels whose part of a tensor, (channels, ...), is dead.
void mark(const Parameter& parameter, std::vector<bool>& dead) {
  const auto channels = static_cast<std::size_t>(parameter.dims.front());
  const std::size_t length = parameter.master.size() / channels;
  const float least = kLeastShare * maximum_magnitude(parameter.master);
  dead.resize(channels, false);
  for (std::size_t c = 0; c < channels; ++c) {
    const float largest = maximum_magnitude(std::span(parameter.master).subspan(c * length, length));
    dead[c] = dead[c] || largest == 0 || largest < least;
  }
}

}  // namespace

std::vector<double> dead_channels(const ModelState& state, std::size_t layers) {
  std::vector<std::vector<bool>> dead(layers);
  for (const Parameter& parameter : state.parameters) {
    if (parameter.layer >= 0 &&
        (parameter.role == ParameterRole::weight || parameter.role == ParameterRole::scale)) {
      mark(parameter, dead.at(static_cast<std::size_t>(parameter.layer)));
    }
  }
  std::vector<double> shares;
  shares.reserve(layers);
  for (const std::vector<bool>& channels : dead) {
    shares.push_back(static_cast<double>(std::ranges::count(channels, true)) /
                     static_cast<double>(channels.size()));
  }
  return shares;
}

}  // namespace adapt
