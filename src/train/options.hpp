#pragma once

#include <array>
#include <vector>

#include "base/names.hpp"
#include "train/schedule_registry.hpp"

namespace adapt {

/// Where a schedule counts epochs from: the run, or the final phase of the precision policy (MuPPET's
/// float32), before which the rate is the base rate.
enum class ScheduleOrigin { run, final_phase };
template <>
inline constexpr auto kNames<ScheduleOrigin> =
    std::array{Named{"run", ScheduleOrigin::run}, Named{"final_phase", ScheduleOrigin::final_phase}};

/// `training.schedule`: how the learning rate moves.
struct ScheduleOptions {
  ScheduleKind name = ScheduleKind::constant;
  double warmup_epochs = 0;     ///< linear from 0 to the base rate over the first so many epochs
  std::vector<int> milestones;  ///< multi_step: epochs after which the rate is multiplied by `factor`
  double factor = 0.1;          ///< multi_step, reduce_on_plateau
  int patience = 10;            ///< reduce_on_plateau: epochs without improvement that are tolerated
  double threshold = 1e-6;      ///< reduce_on_plateau: relative improvement of the training loss that counts
  double minimum = 0;           ///< share of the base rate that no schedule goes below once warmed up
  ScheduleOrigin origin = ScheduleOrigin::run;
};

/// Most shards of one optimizer step: more would leave the exact gradient sums too little room
/// (exchange/exact.cpp).
inline constexpr int kMostStepShards = 4096;

/// To which length gradients are brought before the optimizer takes them. `yes`: that of all tensors of a
/// layer together is 1 (AdaPT). `tensor`: that of each tensor of a layer is 1 (its authors' code).
/// `relative`: that of a weight tensor is its weights', so that the rate is a share of them (LARS, You et al.
/// 2017); biases, scales and shifts keep theirs. `no`: all keep theirs. `automatic`: yes where the policy is
/// adapt, else no.
enum class Normalize { automatic, yes, no, tensor, relative };
template <>
inline constexpr auto kNames<Normalize> =
    std::array{Named{"auto", Normalize::automatic}, Named{"yes", Normalize::yes}, Named{"no", Normalize::no},
               Named{"tensor", Normalize::tensor}, Named{"relative", Normalize::relative}};

/// Which parameters weight_decay and l1 pull to zero: all, or weights without biases, scales and shifts.
enum class Decayed { all, weights };
template <>
inline constexpr auto kNames<Decayed> =
    std::array{Named{"all", Decayed::all}, Named{"weights", Decayed::weights}};

/// `training`: the recipe.
struct TrainingOptions {
  int epochs = 15;
  double target_accuracy = 0;  ///< end after the first epoch with this test accuracy (fraction); 0: never
  int batch = 256;             ///< images per mini-batch over all shards
  int accumulate = 1;          ///< mini-batches whose gradients are averaged for one optimizer step
  int shards = 8;  ///< virtual shards of a mini-batch: the unit of work that makes results independent of the
                   ///< rank count
  int threads = 1;  ///< per rank; they take shards side by side, and float32 results may depend on those that
                    ///< are left over (train/model_workers.hpp)
  double learning_rate = 0.1;
  double momentum = 0.9;
  double weight_decay = 0;  ///< β: coefficient of (1/2)‖W‖₂² in the loss
  double l1 = 0;            ///< α: coefficient of ‖W‖₁ in the loss
  Decayed decayed = Decayed::all;
  double label_smoothing = 0;  ///< share of the target that all classes have alike
  Normalize normalize = Normalize::automatic;
  bool penalty = true;  ///< add AdaPT's P to the loss that the policy sees
  ScheduleOptions schedule;
  int test_batch = 0;  ///< images per forward pass of an evaluation; 0: as many as a shard has
  /// Epochs of the policy's final phase, after which the run ends even before `epochs` are done (MuPPET
  /// trains 45 in float32). Policies without one: no meaning.
  int final_epochs = 45;

  /// Of one optimizer step: its mini-batches stand one after the other, so that shard s of mini-batch m is
  /// the step's shard m · shards + s.
  [[nodiscard]] int step_images() const { return batch * accumulate; }
  [[nodiscard]] int step_shards() const { return shards * accumulate; }
  /// Of one forward pass of an evaluation. A shard's, because then evaluation needs no more memory than
  /// training does, and oneDNN has its kernels already.
  [[nodiscard]] int test_images() const { return test_batch > 0 ? test_batch : batch / shards; }
};

/// `checkpoint`: when a checkpoint is written and which stay. One is written on a stop signal in any case,
/// and after an epoch that is the best so far unless both intervals are 0.
struct CheckpointOptions {
  int interval_epochs = 1;  ///< 0: not by epochs
  int interval_steps = 0;   ///< 0: not by steps
  int keep = 2;             ///< the last so many stay, and the best one

  [[nodiscard]] bool any() const { return interval_epochs > 0 || interval_steps > 0; }
};

/// `record`: what goes to run.h5 and how often.
struct RecordOptions {
  int layer_interval = 1;     ///< steps between rows of the per-layer series
  double flush_seconds = 20;  ///< at most so long until what was computed is on disk
};

}  // namespace adapt
