#include "train/step.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/phase.hpp"
#include "base/stop_signal.hpp"
#include "base/stopwatch.hpp"
#include "mpi/together.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"
#include "train/calibration.hpp"
#include "train/engine.hpp"

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
    infos.push_back({layer.name, layer.parameters, layer.reads_image, layer.reads_average});
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

UpdateOptions update_options(const TrainingOptions& training, bool policy_wants_unit_gradients) {
  const bool unit = training.normalize == Normalize::yes ||
                    (training.normalize == Normalize::automatic && policy_wants_unit_gradients);
  return {training.momentum, training.weight_decay, training.l1, unit};
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

/// Rank 0's decision becomes part of what the step did.
void record_decision(StepDecision decision, StepOutcome& outcome) {
  outcome.record.loss = decision.loss;
  outcome.record.strategy = std::move(decision.strategy);
  for (const LayerSnapshot& layer : decision.layers) {
    outcome.layers.push_back({outcome.record.step, layer.formats, layer.state, layer.density});
  }
  outcome.switches = std::move(decision.switches);
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
      state_(initialize(graph_, options.model.init_scale, options.seed)),
      network_(make_network(options, graph_, state_, /*training=*/true)),
      loader_(data.train, data.normalization, loader_options(options, ranks)),
      controller_(controller_options(options), layer_infos(graph_), state_, ranks, make),
      encoding_(make_encoding(chosen_encoding(options.exchange, controller_.decided()),
                              exchange_tensors(*state_), options.training.step_shards(),
                              options.exchange.error_feedback)),
      statistics_(*state_, options.training.step_shards()),
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
  return network_.integer_layers(pass);
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
  // Gradients, masters and plans are equal: what fails here fails on every rank. (A next step or an
  // evaluation starts with mpi::together.)
  mpi::alike(ranks_, [&] { update(learning_rate, decision, outcome); });
  if (ranks_.rank() == 0) {
    record_decision(std::move(decision), outcome);
  }
  return outcome;
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
  const NetworkSeconds before = network_.seconds();
  PhaseSeconds& seconds = outcome.record.seconds;
  const auto step = static_cast<std::uint32_t>(step_);
  encoding_->begin({options_.seed, step, &controller_.plan()});
  controller_.begin(step_);
  statistics_.begin(step);
  for (int shard = ranks_.rank(); shard < options_.training.step_shards(); shard += ranks_.size()) {
    Stopwatch watch;
    phase::begin("data");
    const ShardBatch& batch = loader_.next();
    seconds.data += watch.lap();
    run_shard(batch, shard + ranks_.size() >= options_.training.step_shards(), outcome);
  }
  const NetworkSeconds& after = network_.seconds();
  seconds.forward = after.forward - before.forward;
  seconds.backward = after.backward - before.backward;
  seconds.quantize += after.quantize - before.quantize;
}

std::string TrainingStep::origin_of_not_finite(const ShardBatch& batch, const Pass& pass) {
  const auto where = network_.first_not_finite(batch.images, pass);
  return where ? "; NaN or Inf first appears in " + *where : "";
}

void TrainingStep::run_shard(const ShardBatch& batch, bool last_shard, StepOutcome& outcome) {
  Pass pass;
  pass.seed = options_.seed;
  pass.step = static_cast<std::uint32_t>(step_);
  pass.shard = static_cast<std::uint32_t>(batch.shard);
  pass.rounding = options_.engine.rounding;
  pass.plan = &controller_.plan();
  pass.maxima = controller_.maxima();
  pass.label_smoothing = options_.training.label_smoothing;
  pass.heeds_stop = !options_.exchange.error_feedback;
  phase::begin("forward");
  const LossSum loss = network_.forward(batch.images, batch.labels, pass);
  if (!MetricSum::fits(loss.loss)) {
    const std::string origin = std::isfinite(loss.loss) ? "" : origin_of_not_finite(batch, pass);
    throw Failure(concat("the loss is ", std::isnan(loss.loss) ? "NaN" : concat(loss.loss), " at step ",
                         step_, ", shard ", batch.shard, ": training has diverged", origin,
                         "; a smaller training.learning_rate may help"));
  }
  outcome.metrics.add(loss.loss, loss.correct, static_cast<std::int64_t>(batch.labels.size()));
  phase::begin("backward");
  try {
    network_.backward(pass, [&](std::size_t first, std::size_t last) {
      take_gradients(first, last, pass.shard, last_shard, outcome);
    });
  } catch (const BadGradient& error) {
    throw Failure(error.what() + origin_of_not_finite(batch, pass));
  }
  outcome.work.madds += pass.work.madds;
  outcome.work.integer += pass.work.integer;
  const Stopwatch watch;
  statistics_.add(*state_, pass.shard);
  outcome.record.seconds.quantize += watch.seconds();
}

void TrainingStep::take_gradients(std::size_t first, std::size_t last, std::uint32_t shard, bool last_shard,
                                  StepOutcome& outcome) {
  Stopwatch watch;
  // As backward went: of gradients that are not finite, the one that was first is named.
  for (std::size_t p = last; p-- > first;) {
    const Parameter& parameter = state_->parameters[p];
    controller_.observe_gradient(parameter, encoding_->add(p, shard, parameter.gradient));
  }
  outcome.record.seconds.quantize += watch.lap();
  if (!options_.exchange.overlap || !last_shard) {
    return;
  }
  for (std::size_t p = last; p-- > first;) {
    encoding_->release(p, ranks_);
  }
  encoding_->progress();
  outcome.record.seconds.exchange += watch.lap();
}

void TrainingStep::exchange(StepOutcome& outcome) {
  Stopwatch watch;
  encoding_->reduce(ranks_);
  outcome.record.exposed_seconds = watch.seconds();
  outcome.metrics.reduce(ranks_);
  reduce(outcome.work, ranks_);
  statistics_.reduce(*state_, ranks_);
  controller_.reduce_maxima();
  outcome.record.bytes_sent = encoding_->bytes();
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
