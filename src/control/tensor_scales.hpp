#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "numerics/plan.hpp"
#include "numerics/rounding_loss.hpp"
#include "numerics/running_maxima.hpp"
#include "numerics/scale.hpp"

namespace adapt {

/// `formats: per_tensor`: gives each tensor of each layer a power-of-two scale of its own, where the policy
/// decides word lengths only.
///
/// MuPPET takes a tensor's scale from the tensor itself: one more pass over memory, and a message before
/// anything can be quantized. Here only the weights' scale does (from the master's extremes, which every rank
/// has). That of all others comes from a running maximum M of the steps before (running_maxima.hpp), so that
/// a step needs one pass and one message, and every rank knows every scale before it quantizes. The price: in
/// a step in which a tensor outgrows M, its largest elements saturate, once.
///
/// With ScaleChoice::least_error a tensor's scale is finer by so many octaves as give it the least squared
/// error, as rank 0 found in a sample of the first shard, every kAdjustInterval steps: then its largest
/// elements saturate in every step, and all others are rounded less (adjust). Gradients keep that of the
/// maximum.
///
/// A tensor without history (when a format has just been switched on; before the first step a calibration
/// makes one) has no format for one step: it stays float32. A step in which a tensor is all zero leaves its
/// scale as it is.
class TensorScales {
 public:
  /// Steps from one adjustment to the next: the spread of a tensor's magnitudes changes slowly.
  static constexpr std::int64_t kAdjustInterval = 16;

  explicit TensorScales(std::vector<std::string> layer_names);

  /// Starts a step under the plan that the policy decided: maxima to be raised, 0 for each tensor with a
  /// format, absent for the others. Parameter gradients are raised by whoever has them, the rest by nn/.
  std::vector<LayerMaxima>& begin(const PrecisionPlan& decided);
  /// Those of the running step.
  [[nodiscard]] std::vector<LayerMaxima>& maxima() { return observed_; }

  /// Ends a step: takes the maximum over all ranks (collective, one message) into the running ones. Throws
  /// mpi::SharedError, on all ranks, where a tensor held NaN or Inf on any, naming `step`, layer and tensor.
  void reduce(std::int64_t step, const mpi::Communicator& ranks);

  /// The same where the maxima that were raised are those of all ranks already. Throws Failure for NaN or
  /// Inf.
  void adopt();

  /// Finds anew by how much scales are finer than those of the maximum, from what rank 0 counted of the step
  /// that reduce() has ended (collective: one message of two bytes for each tensor). Of tensors that were not
  /// counted it stays.
  void adjust(std::span<const PerTensor<LossCounter>> counted, const mpi::Communicator& ranks);

  /// The plan to execute: word lengths of `decided`, each tensor's own fractional length. `weights` are the
  /// extremes of each layer's master weights; of a tensor that is all zero the last ones that were not count.
  PrecisionPlan plan(const PrecisionPlan& decided, std::span<const Extremes> weights);

  /// Running maxima and extremes, for a checkpoint (this machine's representation).
  [[nodiscard]] std::vector<std::byte> save_state() const;
  /// Puts back what save_state() of a model with as many layers gave. Throws BadInput if the bytes do not
  /// fit.
  void restore_state(std::span<const std::byte> state);

 private:
  /// By how many octaves a scale is finer than that of the maximum, while the word has this length.
  struct Finer {
    std::int8_t word_length = 0;
    std::int8_t octaves = 0;
  };

  /// Of the tensors of a layer.
  [[nodiscard]] std::span<Finer> finer_of(std::size_t layer);
  [[nodiscard]] std::span<const Finer> finer_of(std::size_t layer) const;
  /// What was raised in the running step, layer by layer, each layer's tensors in the order of kTensors.
  [[nodiscard]] std::vector<std::optional<float>> observed_by_tensor() const;
  /// "inputs of layer 'conv1'".
  [[nodiscard]] std::optional<std::string> first_not_finite(
      std::span<const std::optional<float>> observed) const;

  std::vector<std::string> names_;
  std::vector<LayerMaxima> observed_;  // in the running step
  RunningMaxima running_;              // in the order of observed_by_tensor()
  std::vector<Extremes> weights_;      // last ones that were not all zero
  std::vector<Finer> finer_;           // in the order of observed_by_tensor()
};

}  // namespace adapt
