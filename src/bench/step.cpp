#include "train/step.hpp"

#include "base/error.hpp"
#include "base/threads.hpp"
#include "bench/benchmark.hpp"
#include "bench/synthetic.hpp"
#include "nn/models.hpp"
#include "nn/work.hpp"

namespace adapt {
namespace {

/// Steps until an epoch ends: starting one costs a shuffle and an empty prefetch queue, as in a real
/// training.
constexpr std::int64_t kEpochSteps = 64;
/// Small enough that random labels do not make training diverge.
constexpr double kLearningRate = 1e-3;

/// What an activation takes in memory between layers.
double bytes_per_number(Engine engine) {
  return engine == Engine::integer ? 1 : engine == Engine::bfloat16 ? 2 : sizeof(float);
}

Policy usual_policy(Engine engine) {
  switch (engine) {
    case Engine::emulated:
      return Policy::adapt;
    case Engine::integer:
      return Policy::fixed;
    case Engine::float32:
    case Engine::bfloat16:
      break;
  }
  return Policy::float32;
}

/// What an option says for each of the engines.
template <class Value>
std::vector<Value> for_each_engine(const char* option, std::vector<Value> values, std::size_t engines) {
  if (values.size() == 1) {
    values.resize(engines, values.front());
  }
  if (values.size() != engines) {
    throw BadInput(concat("--", option, ": expected one name, or one for each of the ", engines,
                          " engines, found ", values.size()));
  }
  return values;
}

/// One engine's training: contender and its clocks.
class Training {
 public:
  Training(const TrainerOptions& options, const DataSplits& data, bool layers, const mpi::Communicator& ranks)
      : step_(options, data, ranks) {
    if (layers) {
      step_.count_layers();
    }
  }

  void run(std::int64_t calls) {
    for (std::int64_t i = 0; i < calls; ++i) {
      const PhaseSeconds seconds = step_.run(kLearningRate).record.seconds;
      phases_.data += seconds.data;
      phases_.forward += seconds.forward;
      phases_.backward += seconds.backward;
      phases_.quantize += seconds.quantize;
      phases_.exchange += seconds.exchange;
      phases_.policy += seconds.policy;
      phases_.update += seconds.update;
    }
  }

  /// Of a step with `shards` shards whose activations take `bytes` per number.
  [[nodiscard]] std::vector<PartWork> work(int shards, double bytes) const {
    std::vector<PartWork> work;
    if (step_.layer_seconds().empty()) {
      return work;
    }
    for (const LayerWork& layer : forward_work(step_.graph(), bytes)) {
      work.push_back({"layers_forward", layer.name, shards * layer.operations, shards * layer.bytes});
    }
    for (const LayerWork& layer : backward_work(step_.graph(), bytes)) {
      work.push_back({"layers_backward", layer.name, shards * layer.operations, shards * layer.bytes});
    }
    return work;
  }

  [[nodiscard]] std::vector<Part> parts() const {
    std::vector<Part> parts = {
        {"phases", "data", phases_.data},         {"phases", "forward", phases_.forward},
        {"phases", "backward", phases_.backward}, {"phases", "quantize", phases_.quantize},
        {"phases", "exchange", phases_.exchange}, {"phases", "policy", phases_.policy},
        {"phases", "update", phases_.update}};
    for (const LayerSeconds& layer : step_.layer_seconds()) {
      parts.push_back({"layers_forward", layer.name, layer.forward});
    }
    for (const LayerSeconds& layer : step_.layer_seconds()) {
      parts.push_back({"layers_backward", layer.name, layer.backward});
    }
    return parts;
  }

 private:
  TrainingStep step_;
  PhaseSeconds phases_;
};

class StepBenchmark : public Benchmark {
 public:
  StepBenchmark(const StepBenchOptions& options, const mpi::Communicator& ranks)
      : options_(options), ranks_(ranks) {
    set_threads(options.threads);
    const std::size_t engines = options.engines.size();
    options_.encodings = for_each_engine("encoding", options.encodings, engines);
    options_.policies = for_each_engine("policy", options.policies, engines);
    for (const std::string& model : options.models) {
      trainings_.push_back(make_group(model));
    }
  }

  BenchReport run() override {
    BenchReport report = {"step", "images", "engine", {}};
    for (std::size_t m = 0; m < trainings_.size(); ++m) {
      std::vector<Contender> contenders;
      for (const auto& training : trainings_[m]) {
        contenders.push_back({[&training](std::int64_t calls) { training->run(calls); },
                              [&training] { return training->parts(); }});
      }
      const std::vector<Timing> timings = time_in_turn(contenders, options_.timing, ranks_);
      report.groups.emplace_back();
      for (std::size_t e = 0; e < timings.size(); ++e) {
        report.groups.back().push_back(
            {labels(m, e), static_cast<double>(options_.batch), timings[e],
             trainings_[m][e]->work(options_.shards, bytes_per_number(options_.engines[e]))});
      }
    }
    return report;
  }

 private:
  using Group = std::vector<std::unique_ptr<Training>>;

  Group make_group(const std::string& model) const {
    const DataSplits data = synthetic_images(model, kEpochSteps * options_.batch);
    Group group;
    for (std::size_t e = 0; e < options_.engines.size(); ++e) {
      TrainerOptions options;
      options.model.name = model;
      options.engine = {.name = options_.engines[e], .rounding = options_.rounding};
      options.precision.name = policy_of(e);
      options.exchange.encoding = options_.encodings[e];
      options.exchange.algorithm = options_.algorithm;
      if (options.engine.name == Engine::integer) {
        options.precision.formats = FormatScope::per_tensor;
        options.precision.backward = options_.backward;
        options.precision.quantize.unnormalized = false;  // as in the recipe for integers
        options.precision.fixed.word_length = options_.word_length;
      }
      options.training.batch = options_.batch;
      options.training.shards = options_.shards;
      options.training.threads = options_.threads;
      options.record.layer_interval = 10;  // as in the recipes
      group.push_back(std::make_unique<Training>(options, data, options_.layers, ranks_));
    }
    return group;
  }

  [[nodiscard]] std::vector<std::pair<std::string, BenchResult::Value>> labels(std::size_t model,
                                                                               std::size_t engine) const {
    const std::optional<Encoding> encoding = options_.encodings[engine];
    return {{"model", options_.models[model]},
            {"engine", std::string(name_of(options_.engines[engine]))},
            {"policy", policy_text(engine)},
            {"encoding", std::string(encoding ? name_of(*encoding) : "auto")},
            {"batch", std::int64_t{options_.batch}},
            {"shards", std::int64_t{options_.shards}},
            {"ranks", std::int64_t{ranks_.size()}},
            {"threads", std::int64_t{options_.threads}}};
  }

  /// "fixed", or "fixed 12, float32 backward" where it is not the usual one.
  [[nodiscard]] std::string policy_text(std::size_t engine) const {
    std::string text(name_of(policy_of(engine)));
    if (options_.engines[engine] == Engine::integer) {
      const StepBenchOptions usual;
      text += options_.word_length == usual.word_length ? "" : concat(" ", options_.word_length);
      text += options_.backward == usual.backward ? "" : ", float32 backward";
    }
    return text;
  }

  [[nodiscard]] Policy policy_of(std::size_t engine) const {
    return options_.policies[engine].value_or(usual_policy(options_.engines[engine]));
  }

  StepBenchOptions options_;
  const mpi::Communicator& ranks_;
  std::vector<Group> trainings_;  // by model and engine
};

}  // namespace

std::unique_ptr<Benchmark> make_step_benchmark(const StepBenchOptions& options,
                                               const mpi::Communicator& ranks) {
  return std::make_unique<StepBenchmark>(options, ranks);
}

}  // namespace adapt
