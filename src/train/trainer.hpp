#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "data/dataset.hpp"
#include "exchange/options.hpp"
#include "mpi/communicator.hpp"
#include "nn/models.hpp"
#include "nn/options.hpp"
#include "precision/options.hpp"
#include "record/run_log.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/options.hpp"

namespace adapt {

/// Everything that decides a training's trajectory.
struct TrainerOptions {
  std::uint64_t seed = 1;
  ModelOptions model;
  EngineOptions engine;
  PolicyOptions precision;
  ExchangeOptions exchange;
  TrainingOptions training;
  RecordOptions record;
  CheckpointOptions checkpoint;
  AugmentationKind augmentation = AugmentationKind::none;
  int crop_padding = 4;
};

/// How far a training is, for the progress bar.
struct TrainerProgress {
  std::int64_t step = 0;                ///< done, of the whole run
  std::int64_t steps = 0;               ///< of the whole run
  std::int64_t epoch = 0;               ///< running, from 1
  double loss = 0;                      ///< cross entropy of the last step
  std::optional<double> test_accuracy;  ///< fraction, of the last evaluation; none before
};

/// Where rank 0 keeps what a training leaves. Null: nowhere, as on the other ranks.
struct TrainerFiles {
  RunLog* log = nullptr;
  CheckpointFolder* checkpoints = nullptr;
};

/// How Trainer::run() came to its end.
enum class TrainingEnd {
  done,     ///< all epochs, or training.target_accuracy was reached
  stopped,  ///< a stop signal came, or the epoch to stop at for now; a checkpoint is written
};

/// A data-parallel training: the same trajectory, bit for bit, on any number of ranks (encoding float32
/// excepted).
class Trainer {
 public:
  Trainer(const TrainerOptions& options, const DataSplits& data, const mpi::Communicator& ranks);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// The quantized layers, for the log.
  [[nodiscard]] std::vector<LoggedLayer> layers() const;

  /// More bytes than a checkpoint of this training has.
  [[nodiscard]] std::uintmax_t largest_checkpoint() const;

  /// Puts training back to where `checkpoint` was written by a Trainer of the same options and data, on any
  /// number of ranks; on every rank, before run(). Throws BadInput if it does not fit.
  void restore(const Checkpoint& checkpoint);

  /// Trains on to the last epoch, or until training.target_accuracy is reached, or any rank is sent a stop
  /// signal (collective). The log gets the last and the best model (the earliest of equals). A checkpoint is
  /// written after the log is flushed, so that the log never ends before it. `on_step` may be empty. Where
  /// training diverges or a file cannot be written, all ranks throw the same mpi::SharedError; the log then
  /// holds the steps before, and the last checkpoint stays.
  /// `until`: stops behind this epoch, as if a signal had come then; 0: does not.
  TrainingEnd run(const TrainerFiles& files, const std::function<void(const TrainerProgress&)>& on_step,
                  std::int64_t until = 0);

  /// Of the last evaluation, fraction; 0 before.
  [[nodiscard]] double test_accuracy() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
