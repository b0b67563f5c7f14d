#include <memory>
#include <vector>

#include "precision/policy.hpp"

namespace adapt {
namespace {

/// Everything in float32: the plan has no formats and never changes.
class Float32Policy : public PrecisionPolicy {
 public:
  explicit Float32Policy(std::size_t layers) { plan_.layers.resize(layers); }

  std::vector<SwitchEvent> observe(const StepObservation& /*observation*/) override { return {}; }
};

}  // namespace

std::unique_ptr<PrecisionPolicy> make_float32_policy(const PolicyOptions& /*options*/,
                                                     const std::vector<LayerInfo>& layers) {
  return std::make_unique<Float32Policy>(layers.size());
}

}  // namespace adapt
