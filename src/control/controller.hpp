#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/state_bytes.hpp"
#include "control/plan_broadcast.hpp"
#include "control/tensor_scales.hpp"
#include "mpi/communicator.hpp"
#include "nn/parameters.hpp"
#include "numerics/plan.hpp"
#include "numerics/scale.hpp"
#include "precision/policy.hpp"

namespace adapt {

/// As make_policy.
using PolicyMaker = std::function<std::unique_ptr<PrecisionPolicy>(const PolicyOptions& options,
                                                                   const std::vector<LayerInfo>& layers)>;

/// What a controller is made for.
struct ControllerOptions {
  PolicyOptions policy;
  std::uint64_t seed = 1;
  bool penalty = false;  ///< add AdaPT's penalty to the loss that the policy observes
};

/// The gradient of a parameter as the optimizer took it.
struct TakenGradient {
  std::span<const float> values;
  double norm = 0;
};

/// What the controller observes of a step that is done. Only that of rank 0 counts.
struct StepReport {
  std::int64_t epoch = 1;   ///< counted from 1
  bool ends_epoch = false;  ///< the last step of its epoch
  double loss = 0;          ///< mean over the global batch, with regularization
  /// Of parameter `index` of the model's state; called on rank 0 only.
  std::function<TakenGradient(std::size_t index)> gradient;
};

/// What a step computed a layer with, for the log.
struct LayerSnapshot {
  LayerFormats formats;
  LayerState state;
  double density = 1;  ///< share of working weights that are not zero
};

/// What the controller made of a step. On rank 0 only; nothing elsewhere.
struct StepDecision {
  double loss = 0;                    ///< as reported, with the penalty
  std::vector<LayerSnapshot> layers;  ///< before the switches
  std::vector<SwitchEvent> switches;
  std::string strategy;  ///< the policy's, after the switches
};

/// The rank-zero controller: keeps the precision plan that all ranks compute with, and the working weights
/// under it. The policy runs on rank 0 alone; everything that follows from the plan it decides, every rank
/// makes for itself from the same master weights. There is one object on each rank. The calls of a step, in
/// their order:
///
///  - begin() checks that this rank has the plan that counts from this step, and starts new maxima.
///  - observe_gradient(), for each shard, raises the maxima of parameter gradients; nn/ raises the others.
///  - reduce_maxima() takes the maxima over all ranks into the running ones, where each tensor has a scale of
///    its own (`formats: per_tensor`): one MPI_Allreduce, of 48 bytes for each quantized layer.
///  - decide() lets the policy observe the step and brings its plan to all: one MPI_Bcast of 16 bytes; one
///    more, of the plan, where its version has changed; two more each time the policy has PushDowns that are
///    worth spreading over the ranks, with messages that bring their results to rank 0.
///  - requantize() makes scales, the plan to compute with, and working weights from the masters that the
///    optimizer has moved.
///
/// Errors: where the policy fails on rank 0, decide() throws the same mpi::SharedError on all ranks, as does
/// reduce_maxima() for NaN or Inf. The other calls are not collective and throw where they fail: begin()
/// belongs within mpi::together, and requantize(), which does the same on all ranks, within mpi::alike.
class Controller {
 public:
  /// `layers` are the quantized layers that the parameters of `state` point to; `ranks` must outlive this.
  /// Makes the first plan and working weights. Throws BadInput as `make` does.
  Controller(ControllerOptions options, const std::vector<LayerInfo>& layers,
             std::shared_ptr<ModelState> state, const mpi::Communicator& ranks,
             const PolicyMaker& make = make_policy);

  /// The plan in force, to compute with.
  [[nodiscard]] const PrecisionPlan& plan() const { return plan_; }
  /// The same as the policy decided it: under per_tensor plans, only its word lengths count.
  [[nodiscard]] const PrecisionPlan& decided() const { return decided_; }
  /// PrecisionPolicy::wants_unit_gradients.
  [[nodiscard]] bool wants_unit_gradients() const { return policy_->wants_unit_gradients(); }

  /// Where each tensor has a scale of its own: finds first scales, so that every tensor with a format has one
  /// before the first step. `run` computes gradients of a few images under the plan it is given, raises the
  /// maxima, and must do the same on all ranks: nothing is exchanged. Throws Failure where a tensor holds NaN
  /// or Inf. Otherwise does nothing.
  void calibrate(const std::function<void(const PrecisionPlan& plan, std::vector<LayerMaxima>& maxima)>& run);

  /// Starts step `step`, counted from 1. Throws Failure where this rank was told of another plan or step.
  void begin(std::int64_t step);
  /// Of the running step, for its passes to raise (Pass::maxima); null where no tensor has a scale of its
  /// own.
  [[nodiscard]] std::vector<LayerMaxima>* maxima() { return scales_ ? &scales_->maxima() : nullptr; }
  /// Takes in the gradient of `parameter` that a shard has just left there; `largest` is its largest
  /// magnitude where that is known.
  void observe_gradient(const Parameter& parameter, std::optional<float> largest);
  /// Whether what the first shard of the running step loses by rounding matters. (Rank 0, which has that
  /// shard, knows.)
  [[nodiscard]] bool wants_losses() const;
  /// After reduce_maxima(): by quantized layer, what was counted in the first shard, where wants_losses().
  /// Scales of least error follow from it (collective, every TensorScales::kAdjustInterval steps: one message
  /// of two bytes for each tensor). It must stay until decide() is done.
  void take_losses(std::span<const PerTensor<LossCounter>> counted);
  /// Ends the observation of tensors (collective).
  void reduce_maxima();
  /// Lets the policy observe the step and decide, on rank 0, and brings its plan to all ranks (collective).
  StepDecision decide(const StepReport& report);
  /// Makes the plan that follows from what was decided and from the masters, of which `masters` are the
  /// extremes, by parameter, and the working weights under it. Writes the formats of that plan into the
  /// switches of `decision` where the policy knows word lengths only. Throws Failure for a master that is NaN
  /// or infinite.
  void requantize(std::span<const Extremes> masters, StepDecision& decision);

  /// What later decisions depend on, for a checkpoint (this machine's representation): the policy's state,
  /// then that of the scales, if there are any. Rank 0's counts.
  void save_state(StateWriter& writer) const;
  /// Puts back what save_state() of the same options and layers gave after `step` steps; the masters have
  /// been put back before. Makes plan and working weights anew. Throws BadInput if the bytes do not fit.
  void restore_state(StateReader& reader, std::int64_t step);

 private:
  /// Whether scales of least error are found anew in the running step.
  [[nodiscard]] bool adjusts_scales() const;
  /// On rank 0: lets the policy observe the step.
  StepDecision observe(const StepReport& report, const PushDowns& push_downs);
  /// The master weights of a quantized layer.
  [[nodiscard]] std::span<const float> weights_of(int layer) const;
  /// The plan to compute with, for masters with these extremes, by quantized layer.
  [[nodiscard]] PrecisionPlan executable(const std::vector<Extremes>& weights);
  /// The same for the masters as they are.
  [[nodiscard]] PrecisionPlan executable();
  /// Makes the working weights under plan_, with the random numbers of `step`.
  void make_weights(std::int64_t step);

  ControllerOptions options_;
  std::shared_ptr<ModelState> state_;
  const mpi::Communicator& ranks_;
  std::unique_ptr<PrecisionPolicy> policy_;
  PrecisionPlan decided_;               // by the policy
  std::optional<TensorScales> scales_;  // formats: per_tensor
  PrecisionPlan plan_;                  // what is computed with
  PlanBroadcast plan_broadcast_;
  std::vector<double> densities_;                   // of the working weights, by quantized layer
  std::int64_t step_ = 0;                           // begun last
  std::span<const PerTensor<LossCounter>> losses_;  // of that step
};

}  // namespace adapt
