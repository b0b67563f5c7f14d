#include <memory>
#include <vector>

#include "precision/option_checks.hpp"
#include "precision/policy.hpp"

namespace adapt {
namespace {

/// One format ⟨WL, FL⟩ for all layers, for the whole run.
class FixedPolicy : public PrecisionPolicy {
 public:
  FixedPolicy(FixedFormat format, const PolicyOptions& options, const std::vector<LayerInfo>& layers) {
    for (const LayerInfo& layer : layers) {
      plan_.layers.push_back(formats_of(format, options, layer));
    }
  }

  std::vector<SwitchEvent> observe(const StepObservation& /*observation*/) override { return {}; }
};

}  // namespace

std::unique_ptr<PrecisionPolicy> make_fixed_policy(const PolicyOptions& options,
                                                   const std::vector<LayerInfo>& layers) {
  const FixedFormat format{options.fixed.word_length, options.fixed.fractional_length};
  check_format(format, "precision.fixed");
  return std::make_unique<FixedPolicy>(format, options, layers);
}

}  // namespace adapt
