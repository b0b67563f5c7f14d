#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "numerics/plan.hpp"
#include "precision/options.hpp"
#include "precision/push_down.hpp"

namespace adapt {

/// What a policy is told about a quantized layer before training.
struct LayerInfo {
  std::string name;
  std::int64_t parameters = 0;  ///< weights of the quantized tensor, bias excluded
  bool reads_image = false;     ///< its input is the image
  bool reads_average = false;   ///< its input comes straight from an average pool
  bool is_normalized = false;   ///< a batch norm, and nobody else, reads its outputs
};

/// One layer after one optimizer step. All spans have `parameters` elements and live for the call only.
struct LayerObservation {
  std::span<const float> weights;  ///< float32 master copy that this step computed with
  std::span<const float>
      gradient;  ///< as the optimizer took it (quantized, divided by its norm where the policy asks for that)
  double gradient_norm = 0;  ///< ‖gradient‖₂ of the span above
  double density = 1;        ///< share of non-zero quantized weights, 0..1
  /// Of what entered and what left the layer in the step's first shard: a sample, before it was put on its
  /// grid. Only where the policy wants it, and empty for tensors without a format.
  std::array<std::span<const float>, 2> activations = {};
};

/// Does PushDowns, of any layers; in the order of the jobs.
using PushDowns = std::function<std::vector<PushDownResult>(const std::vector<PushDownJob>& jobs)>;

/// One optimizer step of the whole model.
struct StepObservation {
  std::int64_t step = 0;   ///< counted from 1
  std::int64_t epoch = 0;  ///< counted from 1
  double loss = 0;         ///< mean over the global batch, with regularization and penalty
  std::vector<LayerObservation> layers;
  bool ends_epoch = false;  ///< the last step of its epoch
  /// Others may do the heavy work: a policy hands over all PushDowns of the step at once. Empty: they are
  /// done here.
  PushDowns push_downs = {};
};

/// The PushDowns of `jobs` on the observed weights, by whoever does them.
std::vector<PushDownResult> run_push_downs(const StepObservation& observation,
                                           const std::vector<PushDownJob>& jobs);

/// One precision switch, for the log. Quantities that a policy does not have stay NaN or 0.
struct SwitchEvent {
  std::int64_t step = 0;
  int layer = 0;                      ///< index into the plan
  std::optional<FixedFormat> before;  ///< weights' format; absent: float32
  std::optional<FixedFormat> after;
  std::optional<FixedFormat> minimal;  ///< smallest format without loss of information (AdaPT's PushDown)
  int lookback = 0;                    ///< after the switch
  int resolution = 0;                  ///< after the switch
  double diversity = 0;                ///< Δ of the window that ended
  double divergence = 0;               ///< KL divergence at `minimal`
  std::string strategy;                ///< "min", "mean", "max", or empty
};

/// What the log records of a layer at a step besides its formats.
struct LayerState {
  int lookback = 0;
  int resolution = 0;
  double diversity = 0;   ///< of the last finished window, 0 before
  double divergence = 0;  ///< of the last switch, 0 before
};

/// Decides the formats: statistics in, formats out. Pure: a policy knows no MPI, no oneDNN and no file, and
/// the same observations lead to the same decisions. Only rank 0 runs one; the others are told the plan.
class PrecisionPolicy {
 public:
  virtual ~PrecisionPolicy() = default;
  PrecisionPolicy() = default;
  PrecisionPolicy(const PrecisionPolicy&) = delete;
  PrecisionPolicy& operator=(const PrecisionPolicy&) = delete;

  /// The plan in force.
  [[nodiscard]] const PrecisionPlan& plan() const { return plan_; }
  /// Takes in one step; returns the switches it led to (empty: the plan is as before; otherwise its version
  /// has grown).
  virtual std::vector<SwitchEvent> observe(const StepObservation& observation) = 0;
  /// Whether the next observe() may need LayerObservation::activations.
  [[nodiscard]] virtual bool wants_activations() const { return false; }
  /// For the log.
  [[nodiscard]] virtual LayerState state(int /*layer*/) const { return {}; }
  /// Whether the optimizer shall divide each layer's gradient by its norm (`training.normalize: auto`).
  [[nodiscard]] virtual bool wants_unit_gradients() const { return false; }
  /// For the log: "min", "mean", "max", or empty.
  [[nodiscard]] virtual std::string strategy() const { return {}; }

  /// Everything that later decisions depend on, the plan included, for a checkpoint (this machine's
  /// representation). Here: the plan, which is all there is to a policy that remembers nothing else.
  [[nodiscard]] virtual std::vector<std::byte> save_state() const;
  /// Puts back what save_state() of the same policy, options and layers gave, after which both decide alike.
  /// Throws BadInput if the bytes do not fit.
  virtual void restore_state(std::span<const std::byte> state);

 protected:
  friend std::unique_ptr<PrecisionPolicy> make_policy(const PolicyOptions& options,
                                                      const std::vector<LayerInfo>& layers);
  PrecisionPlan plan_;
};

/// Makes the policy `options.name`; its plan is per_tensor where `options.formats` says so. Throws BadInput
/// for options that are out of range or do not go together.
std::unique_ptr<PrecisionPolicy> make_policy(const PolicyOptions& options,
                                             const std::vector<LayerInfo>& layers);

/// `layer`, all of whose tensors share `format`, as far as `quantize` and `backward` ask for them.
LayerFormats formats_of(FixedFormat format, const PolicyOptions& options, const LayerInfo& layer);

/// AdaPT's penalty P = mean over layers of (WL_l / 32) · density_l (32 bits where a layer is float32; 0 for
/// no layers).
double precision_penalty(const PrecisionPlan& plan, std::span<const double> densities);

}  // namespace adapt
