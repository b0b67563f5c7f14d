#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "data/dataset.hpp"
#include "exchange/options.hpp"
#include "mpi/communicator.hpp"
#include "nn/options.hpp"
#include "precision/options.hpp"
#include "record/run_log.hpp"
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
  std::string augmentation = "none";
  int crop_padding = 4;
};

/// How far a training is, for the progress bar.
struct TrainerProgress {
  std::int64_t step = 0;     ///< done, of the whole run
  std::int64_t steps = 0;    ///< of the whole run
  std::int64_t epoch = 0;    ///< running, from 1
  double loss = 0;           ///< cross entropy of the last step
  double test_accuracy = 0;  ///< fraction, of the last evaluation, 0 before
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

  /// Trains all epochs (collective). `log` is null on ranks other than 0; `on_step` may be empty. Where
  /// training diverges, all ranks throw the same mpi::SharedError; the log then holds the steps before.
  void run(RunLog* log, const std::function<void(const TrainerProgress&)>& on_step);

  /// Of the last evaluation, fraction; 0 before.
  [[nodiscard]] double test_accuracy() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
