#include "train/step.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/phase.hpp"
#include "base/stop_signal.hpp"
#include "base/stopwatch.hpp"
#include "mpi/together.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"
#include "train/calibration.hpp"
#include "train/engine.hpp"
#include "train/layer_records.hpp"
#include "train/model_file.hpp"

namespace adapt {
namespace {

LoaderOptions loader_options(const TrainerOptions& options, const mpi::Communicator& ranks) {
  const TrainingOptions& training = options.training;
  const int shards = training.step_shards();
  if (ranks.size() > shards) {
    throw BadInput(concat("training.shards", training.accumulate > 1 ? " x training.accumulate" : "", " is ",
                          shards, ", but there are ", ranks.size(),
                          " ranks, so some would have no work; start at most ", shards,
                          " ranks or raise training.shards"));
  }
  return {.seed = options.seed,
          .batch = training.step_images(),
          .shards = shards,
          .rank = ranks.rank(),
          .ranks = ranks.size(),
          .augmentation = options.augmentation,
          .crop_padding = options.crop_padding};
}

std::vector<LayerInfo> layer_infos(const Graph& graph) {
  std::vector<LayerInfo> infos;
  for (const QuantizedLayer& layer : graph.layers) {
    infos.push_back(
        {layer.name, layer.parameters, layer.reads_image, layer.reads_average, layer.is_normalized});
  }
  return infos;
}

std::vector<ExchangeTensor> exchange_tensors(const ModelState& state) {
  std::vector<ExchangeTensor> tensors;
  for (const Parameter& parameter : state.parameters) {
    tensors.push_back(
        {parameter.name, parameter.master.size(), parameter.layer, parameter.role == ParameterRole::weight});
  }
  return tensors;
}

ControllerOptions controller_options(const TrainerOptions& options) {
  return {.policy = options.precision, .seed = options.seed, .penalty = options.training.penalty};
}

Encoding chosen_encoding(const ExchangeOptions& exchange, const PrecisionPlan& plan) {
  return exchange.encoding.value_or(has_format(plan, &LayerFormats::gradients) ? Encoding::layer
                                                                               : Encoding::exact);
}

std::unique_ptr<GradientEncoding> make_gradient_encoding(const TrainerOptions& options,
                                                         const PrecisionPlan& plan, const ModelState& state,
                                                         const AlgorithmChoice& algorithms, bool is_first) {
  const Encoding encoding = chosen_encoding(options.exchange, plan);
  const std::vector<ExchangeTensor> tensors = exchange_tensors(state);
  const Algorithm algorithm = algorithms.of(sizes_of(tensors), entry_of(encoding).usual_bits);
  if (is_first && encoding != Encoding::float32 && !algorithms.reason().empty()) {
    log_info(concat("exchange.algorithm: ", algorithm, " (", algorithms.reason(), ")"));
  }
  return make_encoding(encoding, tensors, options.training.step_shards(),
                       {.error_feedback = options.exchange.error_feedback, .algorithm = algorithm});
}

UpdateOptions update_options(const TrainingOptions& training, bool policy_wants_unit_gradients) {
  const Normalize automatic = policy_wants_unit_gradients ? Normalize::yes : Normalize::no;
  return {training.momentum, training.weight_decay, training.l1, training.decayed,
          training.normalize == Normalize::automatic ? automatic : training.normalize};
}

/// Adds up all ranks' work (collective).
void reduce(ProductWork& work, const mpi::Communicator& ranks) {
  std::array<std::int64_t, 2> sums = {work.madds, work.integer};
  ranks.sum(std::span(sums));
  work = {sums[0], sums[1]};
}

double share_of(const ProductWork& work) {
  return work.madds == 0 ? 0 : static_cast<double>(work.integer) / static_cast<double>(work.madds);
}

}  // namespace

Graph make_graph(const TrainerOptions& options, const DataSplits& data, int batch) {
  return make_graph(options, data.train->shape(), data.train->classes(), batch);
}

Graph make_graph(const TrainerOptions& options, const ImageShape& image, int classes, int batch) {
  Graph graph = lower(make_model(options.model, classes), {batch, image.channels, image.height, image.width},
                      executes_formats(options));
  check_classifies(graph, options.model.name, classes);
  return graph;
}

TrainingStep::TrainingStep(const TrainerOptions& options, const DataSplits& data,
                           const mpi::Communicator& ranks, const PolicyMaker& make)
    : options_(options),
      ranks_(ranks),
      graph_(make_graph(options, data, options.training.batch / options.training.shards)),
      state_(initial_state(graph_, options.model, options.seed)),
      model_workers_(options.training, state_, ranks),
      loader_(data.train, data.normalization, loader_options(options, ranks)),
      controller_(controller_options(options), layer_infos(graph_), state_, ranks, make),
      algorithms_(options.exchange, ranks),
      encoding_(
          make_gradient_encoding(options, controller_.decided(), *state_, algorithms_, ranks.rank() == 0)),
      statistics_(*state_, options.training.step_shards(), algorithms_),
      optimizer_(*state_, update_options(options.training, controller_.wants_unit_gradients())) {
  const PrecisionPlan& decided = controller_.decided();
  if (!executes_formats(options) && has_format(decided, &LayerFormats::weights)) {
    throw BadInput(concat("engine.name is ", *options.engine.name, ", but precision.policy '",
                          options.precision.name,
                          "' quantizes; use engine.name: auto, or precision.policy: float32"));
  }
  if (decided.per_tensor) {
    calibrate(options, data, state_, controller_);
  }
  for (int shard = ranks.rank(); shard < options.training.step_shards(); shard += ranks.size()) {
    shards_.push_back(shard);
  }
  taken_.resize(state_->parameters.size());
  make_workers();
}

void TrainingStep::make_workers() {
  workers_ = std::vector<Worker>(static_cast<std::size_t>(model_workers_.size()));
  model_workers_.run([this](int index) {
    Worker& worker = workers_[static_cast<std::size_t>(index)];
    worker.state = model_workers_.state(index);
    worker.network =
        std::make_unique<Network>(make_network(options_, graph_, worker.state, /*training=*/true));
    worker.is_first = index == 0;
  });
}

std::vector<LoggedLayer> TrainingStep::layers() const {
  std::vector<LoggedLayer> layers;
  for (const QuantizedLayer& layer : graph_.layers) {
    layers.push_back({layer.name, layer.madds, layer.parameters});
  }
  return layers;
}

int TrainingStep::integer_layers() const {
  Pass pass;
  pass.plan = &controller_.plan();
  return workers_.front().network->integer_layers(pass);
}

StepOutcome TrainingStep::run(double learning_rate) {
  const std::int64_t in_epoch = step_ % steps_per_epoch();
  if (in_epoch == 0) {
    loader_.start_epoch(step_ / steps_per_epoch());
  }
  if (options_.exchange.error_feedback) {
    mpi::together(ranks_, check_stop);  // what shards leave there is not taken back: all ranks, or none
  }
  ++step_;
  phase::at_step(step_);
  StepOutcome outcome;
  outcome.record.step = step_;
  outcome.record.learning_rate = learning_rate;
  run_shards(outcome);
  phase::begin("exchange");
  exchange(outcome);
  StepDecision decision = decide(outcome);
  if (ranks_.rank() == 0) {
    record_layers(decision, outcome);  // before the weights move
  }
  // Gradients, masters and plans are equal: what fails here fails on every rank. (A next step or an
  // evaluation starts with mpi::together.)
  mpi::alike(ranks_, [&] { update(learning_rate, decision, outcome); });
  outcome.switches = std::move(decision.switches);
  return outcome;
}

void TrainingStep::record_layers(const StepDecision& decision, StepOutcome& outcome) const {
  outcome.record.loss = decision.loss;
  outcome.record.strategy = decision.strategy;
  outcome.layers = layer_records(step_, decision.layers);
  if (logs_layers()) {
    add_losses(outcome.layers, *state_, losses_);
  }
}

void TrainingStep::run_shards(StepOutcome& outcome) {
  const Stopwatch watch;
  double worked = 0;
  // The one agreement of a step: a rank that fails must not leave the others waiting in the exchange. What
  // of it is under way then is given up.
  try {
    mpi::together(ranks_, [&] {
      run_own_shards(outcome);
      worked = watch.seconds();
    });
  } catch (const mpi::SharedError&) {
    --step_;
    throw;
  }
  outcome.record.seconds.exchange += watch.seconds() - worked;
}

void TrainingStep::run_own_shards(StepOutcome& outcome) {
  PhaseSeconds& seconds = outcome.record.seconds;
  const auto step = static_cast<std::uint32_t>(step_);
  encoding_->begin({options_.seed, step, &controller_.plan()});
  controller_.begin(step_);
  statistics_.begin(step);
  begin_workers();
  for (std::size_t first = 0; first < shards_.size(); first += workers_.size()) {
    const std::size_t count = std::min(workers_.size(), shards_.size() - first);
    Stopwatch watch;
    phase::begin("data");
    for (std::size_t i = 0; i < count; ++i) {
      workers_[i].batch = loader_.next();
      workers_[i].turn = first + i;
    }
    seconds.data += watch.lap();
    double worked = 0;
    model_workers_.run([&](int index) {
      if (static_cast<std::size_t>(index) < count) {
        try {
          run_shard(workers_[static_cast<std::size_t>(index)]);
        } catch (...) {
          give_up(workers_[static_cast<std::size_t>(index)]);
          throw;
        }
      }
      if (index == 0) {
        worked = watch.seconds();
      }
    });
    seconds.exchange += watch.seconds() - worked;
  }
  end_workers(outcome);
}

void TrainingStep::begin_workers() {
  model_workers_.refresh();
  losses_.assign(logs_layers() || controller_.wants_losses() ? graph_.layers.size() : 0, {});
  std::ranges::fill(taken_, 0);
  unreleased_ = taken_.size();
  first_failed_ = shards_.size();
  for (Worker& worker : workers_) {
    worker.metrics = {};
    worker.work = {};
    const NetworkSeconds& so_far = worker.network->seconds();
    worker.seconds = {};
    worker.seconds.forward = -so_far.forward;
    worker.seconds.backward = -so_far.backward;
    worker.seconds.quantize = -so_far.quantize;
    if (!worker.is_first && controller_.maxima() != nullptr) {
      worker.maxima = *controller_.maxima();
    }
  }
}

void TrainingStep::end_workers(StepOutcome& outcome) {
  for (const Worker& worker : workers_) {
    outcome.metrics += worker.metrics;
    outcome.work.madds += worker.work.madds;
    outcome.work.integer += worker.work.integer;
    for (std::size_t layer = 0; layer < worker.maxima.size(); ++layer) {
      for (const auto tensor : kTensors<std::optional<float>>) {
        const std::optional<float>& found = worker.maxima[layer].*tensor;
        raise((*controller_.maxima())[layer].*tensor, found.value_or(0));
      }
    }
  }
  const Worker& first = workers_.front();
  const NetworkSeconds& so_far = first.network->seconds();
  PhaseSeconds& seconds = outcome.record.seconds;
  seconds.forward = first.seconds.forward + so_far.forward;
  seconds.backward = first.seconds.backward + so_far.backward;
  seconds.quantize += first.seconds.quantize + so_far.quantize;
  seconds.exchange += first.seconds.exchange;
}

std::string TrainingStep::origin_of_not_finite(Worker& worker, const Pass& pass) {
  const auto where = worker.network->first_not_finite(worker.batch.images, pass);
  return where ? "; NaN or Inf first appears in " + *where : "";
}

void TrainingStep::run_shard(Worker& worker) {
  const ShardBatch& batch = worker.batch;
  const auto begin_phase = [&](const char* name) {
    if (worker.is_first) {
      phase::begin(name);
    }
  };
  Pass pass;
  pass.seed = options_.seed;
  pass.step = static_cast<std::uint32_t>(step_);
  pass.shard = static_cast<std::uint32_t>(batch.shard);
  pass.rounding = options_.engine.rounding;
  pass.plan = &controller_.plan();
  pass.maxima = worker.is_first || controller_.maxima() == nullptr ? controller_.maxima() : &worker.maxima;
  pass.losses = batch.shard == 0 && !losses_.empty() ? &losses_ : nullptr;
  pass.label_smoothing = options_.training.label_smoothing;
  pass.heeds_stop = !options_.exchange.error_feedback;
  begin_phase("forward");
  const LossSum loss = worker.network->forward(batch.images, batch.labels, pass);
  if (!MetricSum::fits(loss.loss)) {
    const std::string origin = std::isfinite(loss.loss) ? "" : origin_of_not_finite(worker, pass);
    throw Failure(concat("the loss is ", std::isnan(loss.loss) ? "NaN" : concat(loss.loss), " at step ",
                         step_, ", shard ", batch.shard, ": training has diverged", origin,
                         "; a smaller training.learning_rate may help"),
                  Cause::numbers);
  }
  worker.metrics.add(loss.loss, loss.correct, static_cast<std::int64_t>(batch.labels.size()));
  begin_phase("backward");
  try {
    worker.network->backward(
        pass, [&](std::size_t first, std::size_t last) { take_gradients(first, last, worker); });
  } catch (const BadGradient& error) {
    throw Failure(error.what() + origin_of_not_finite(worker, pass), Cause::numbers);
  }
  worker.work.madds += pass.work.madds;
  worker.work.integer += pass.work.integer;
  const Stopwatch watch;
  const std::lock_guard lock(taking_);
  statistics_.add(*worker.state, pass.shard);
  worker.seconds.quantize += watch.seconds();
}

void TrainingStep::give_up(const Worker& worker) {
  const std::lock_guard lock(taking_);
  first_failed_ = std::min(first_failed_, worker.turn);
  took_.notify_all();
}

void TrainingStep::take_gradients(std::size_t first, std::size_t last, Worker& worker) {
  Stopwatch watch;
  std::unique_lock lock(taking_);
  // As backward went: of gradients that are not finite, the one that was first is named.
  for (std::size_t p = last; p-- > first;) {
    took_.wait(lock, [&] { return first_failed_ < worker.turn || taken_[p] == worker.turn; });
    if (taken_[p] != worker.turn) {
      throw Failure(concat("shard ", worker.batch.shard, " was left, as one before it failed"));
    }
    const Parameter& parameter = worker.state->parameters[p];
    const auto shard = static_cast<std::uint32_t>(worker.batch.shard);
    controller_.observe_gradient(parameter, encoding_->add(p, shard, parameter.gradient));
    ++taken_[p];
    took_.notify_all();
  }
  worker.seconds.quantize += watch.lap();
  if (!options_.exchange.overlap || !worker.is_first) {
    return;  // only the first thread talks to other ranks
  }
  // In the same order on all ranks, whichever thread comes first.
  while (unreleased_ > 0 && taken_[unreleased_ - 1] == shards_.size()) {
    encoding_->release(--unreleased_, ranks_);
  }
  encoding_->progress();
  worker.seconds.exchange += watch.lap();
}

void TrainingStep::exchange(StepOutcome& outcome) {
  Stopwatch watch;
  encoding_->reduce(ranks_);
  outcome.record.exposed_seconds = watch.seconds();
  outcome.metrics.reduce(ranks_);
  reduce(outcome.work, ranks_);
  statistics_.reduce(*state_, ranks_);
  controller_.reduce_maxima();
  controller_.take_losses(losses_);
  outcome.record.bytes_sent = encoding_->bytes();
  outcome.record.messages_sent = encoding_->messages();
  outcome.record.cross_entropy = outcome.metrics.mean_loss();
  outcome.record.loss = outcome.record.cross_entropy;
  outcome.record.integer_share = share_of(outcome.work);
  outcome.record.seconds.exchange += watch.lap();
  optimizer_.prepare(*state_, [this](std::size_t index, std::size_t first, std::span<float> gradient) {
    encoding_->mean(index, first, gradient);
  });
  outcome.record.seconds.update = watch.lap();
}

StepDecision TrainingStep::decide(StepOutcome& outcome) {
  const Stopwatch watch;
  StepReport report;
  report.epoch = (step_ - 1) / steps_per_epoch() + 1;
  report.ends_epoch = step_ % steps_per_epoch() == 0;
  report.loss = outcome.record.cross_entropy + optimizer_.regularization_loss();
  report.gradient = [this](std::size_t index) {
    return TakenGradient{optimizer_.gradient(index), optimizer_.gradient_norm(index)};
  };
  StepDecision decision = controller_.decide(report);
  outcome.record.seconds.policy = watch.seconds();
  return decision;
}

void TrainingStep::update(double learning_rate, StepDecision& decision, StepOutcome& outcome) {
  phase::begin("update");
  Stopwatch watch;
  const std::vector<Extremes> masters = optimizer_.update(*state_, learning_rate);
  outcome.record.seconds.update += watch.lap();
  controller_.requantize(masters, decision);
  outcome.record.seconds.quantize += watch.lap();
}

}  // namespace adapt
