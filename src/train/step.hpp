#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "control/controller.hpp"
#include "data/loader.hpp"
#include "exchange/encoding.hpp"
#include "exchange/metrics.hpp"
#include "nn/network.hpp"
#include "record/run_log.hpp"
#include "train/model_workers.hpp"
#include "train/optimizer.hpp"
#include "train/statistics.hpp"
#include "train/trainer.hpp"

namespace adapt {

/// The graph of the chosen model for `batch` images of the data, for the chosen engine. Throws BadInput for
/// an unknown engine or model, or one that does not fit the images.
Graph make_graph(const TrainerOptions& options, const DataSplits& data, int batch);
/// The same for images of `image` and so many classes.
Graph make_graph(const TrainerOptions& options, const ImageShape& image, int classes, int batch);

/// What a step did.
struct StepOutcome {
  StepRecord record;                  ///< complete on rank 0; loss without regularization elsewhere
  MetricSum metrics;                  ///< over the global batch
  ProductWork work;                   ///< likewise, after the exchange
  std::vector<LayerRecord> layers;    ///< rank 0 only: what the step computed with
  std::vector<SwitchEvent> switches;  ///< rank 0 only
};

/// One training step, from the images to the re-quantized weights, on all ranks together (architecture.md
/// "One training step").
class TrainingStep {
 public:
  TrainingStep(const TrainerOptions& options, const DataSplits& data, const mpi::Communicator& ranks,
               const PolicyMaker& make = make_policy);

  /// Runs the next step (collective); epochs follow one another by themselves. Where any rank fails (data
  /// that cannot be read, training that diverges, a policy's error), all throw the same mpi::SharedError.
  /// Where any was sent a stop signal, all throw one with ExitCode::stopped, and the step has not been:
  /// save_state() is that of the steps before, but no further step can be run.
  StepOutcome run(double learning_rate);

  [[nodiscard]] std::int64_t steps_per_epoch() const { return loader_.steps(); }
  [[nodiscard]] const std::shared_ptr<ModelState>& state() const { return state_; }
  /// Steps done.
  [[nodiscard]] std::int64_t steps() const { return step_; }
  /// Brings to rank 0 what save_state() needs (collective).
  void collect_state() { encoding_->collect_state(ranks_); }
  /// Everything that later steps depend on, for a checkpoint (this machine's representation). Rank 0's is
  /// that of all ranks, after collect_state().
  [[nodiscard]] std::vector<std::byte> save_state() const;
  /// Puts back what save_state() of the same options gave, after which both go on alike. Throws BadInput if
  /// the bytes do not fit.
  void restore_state(std::span<const std::byte> state);

  /// The plan in force.
  [[nodiscard]] const PrecisionPlan& plan() const { return controller_.plan(); }
  [[nodiscard]] std::vector<LoggedLayer> layers() const;

  /// Layers that run forward in integers under the plan in force.
  [[nodiscard]] int integer_layers() const;

  /// The network's, for one shard.
  [[nodiscard]] const Graph& graph() const { return graph_; }
  /// The threads of this rank.
  [[nodiscard]] ModelWorkers& workers() { return model_workers_; }
  /// Time by node of the first thread's network, for benchmarks (nn/network.hpp).
  void count_layers() { workers_.front().network->count_layers(); }
  [[nodiscard]] const std::vector<LayerSeconds>& layer_seconds() const {
    return workers_.front().network->layer_seconds();
  }

 private:
  /// What computes shards in one of the threads.
  struct Worker {
    std::shared_ptr<ModelState> state;
    std::unique_ptr<Network> network;
    bool is_first = false;  ///< in the thread that talks to other ranks
    ShardBatch batch;
    std::size_t turn = 0;             ///< of the batch's shard, among those of this rank
    std::vector<LayerMaxima> maxima;  ///< of all but the first one, whose maxima are the controller's
    // Of the running step:
    MetricSum metrics;
    ProductWork work;
    PhaseSeconds seconds;
  };

  void make_workers();
  /// All shards of all ranks; time spent waiting for other ranks and threads counts as exchange.
  void run_shards(StepOutcome& outcome);
  void run_own_shards(StepOutcome& outcome);
  void begin_workers();
  void end_workers(StepOutcome& outcome);
  void run_shard(Worker& worker);
  /// Lets those that wait for a shard's gradients know that they will not come.
  void give_up(const Worker& worker);
  /// The end of a message: "; NaN or Inf first appears in the output of 'conv2'", or nothing.
  static std::string origin_of_not_finite(Worker& worker, const Pass& pass);
  /// Takes in the gradients of the parameters first..last - 1 of the worker's shard, once those of the shards
  /// before it are taken: in the same order with any number of threads.
  void take_gradients(std::size_t first, std::size_t last, Worker& worker);
  void exchange(StepOutcome& outcome);
  /// The policy, by way of the controller.
  StepDecision decide(StepOutcome& outcome);
  void update(double learning_rate, StepDecision& decision, StepOutcome& outcome);
  /// Whether the layers of the running step go to the log, with what costs time to find out.
  [[nodiscard]] bool logs_layers() const { return step_ % options_.record.layer_interval == 0; }
  /// On rank 0: what the step computed with, and what came of it.
  void record_layers(const StepDecision& decision, StepOutcome& outcome) const;

  TrainerOptions options_;
  const mpi::Communicator& ranks_;
  Graph graph_;
  std::shared_ptr<ModelState> state_;
  ModelWorkers model_workers_;
  std::vector<Worker> workers_;
  TrainLoader loader_;
  Controller controller_;
  AlgorithmChoice algorithms_;
  std::unique_ptr<GradientEncoding> encoding_;
  StatisticsExchange statistics_;
  Optimizer optimizer_;
  std::vector<int> shards_;                // of this rank
  std::mutex taking_;                      // of encoding_, statistics_, controller_ and what follows
  std::condition_variable took_;           // something, or a shard failed
  std::vector<std::size_t> taken_;         // by parameter: shards whose gradients the step has
  std::size_t first_failed_ = 0;           // of the shards; as many as there are: none
  std::size_t unreleased_ = 0;             // parameters before this one
  std::vector<LayerLossCounters> losses_;  // in the step's first shard; rank 0 has it
  std::int64_t step_ = 0;                  // done
};

}  // namespace adapt
