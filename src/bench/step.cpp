#include "train/step.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/threads.hpp"
#include "bench/benchmark.hpp"
#include "bench/synthetic.hpp"
#include "exchange/encoding.hpp"
#include "nn/models.hpp"
#include "nn/work.hpp"
#include "precision/policy.hpp"

namespace adapt {
namespace {

/// Steps until an epoch ends: starting one costs a shuffle and an empty prefetch queue, as in a real
/// training.
constexpr std::int64_t kEpochSteps = 64;
/// Small enough that random labels do not make training diverge.
constexpr double kLearningRate = 1e-3;

struct EngineDefault {
  const char* engine;
  const char* policy;
};
constexpr std::array kEngines = {EngineDefault{"float32", "float32"}, EngineDefault{"bfloat16", "float32"},
                                 EngineDefault{"emulated", "adapt"}, EngineDefault{"integer", "fixed"}};
constexpr int kByteBits = 8;

struct StepArguments {
  std::vector<std::string> models;
  std::vector<std::string> engines;
  std::vector<std::string> policies;   // by engine
  std::vector<std::string> encodings;  // by engine
  std::string rounding;
  TrainingOptions training;
  bool layers = false;
  TimingOptions timing;
};

/// What an activation takes in memory between layers.
double bytes_per_number(const std::string& engine) {
  return engine == "integer" ? 1 : engine == "bfloat16" ? 2 : sizeof(float);
}

std::vector<std::string> engine_names() {
  std::vector<std::string> names;
  names.reserve(kEngines.size());
  for (const EngineDefault& entry : kEngines) {
    names.emplace_back(entry.engine);
  }
  return names;
}

std::string usual_policy(const std::string& engine) {
  return std::find_if(kEngines.begin(), kEngines.end(),
                      [&](const EngineDefault& entry) { return entry.engine == engine; })
      ->policy;
}

/// What an option says for each of the engines.
std::vector<std::string> for_each_engine(const BenchArguments& arguments, const std::string& option,
                                         const std::vector<std::string>& known, std::size_t engines) {
  std::vector<std::string> names = arguments.list(option, known);
  if (names.size() == 1) {
    names.resize(engines, names.front());
  }
  if (names.size() != engines) {
    throw BadInput(concat("--", option, ": expected one name, or one for each of the ", engines,
                          " engines, found ", names.size()));
  }
  return names;
}

std::vector<std::string> policies_of(const BenchArguments& arguments,
                                     const std::vector<std::string>& engines) {
  std::vector<std::string> known = names_of<Policy>();
  known.emplace_back("auto");
  std::vector<std::string> policies = for_each_engine(arguments, "policy", known, engines.size());
  for (std::size_t i = 0; i < engines.size(); ++i) {
    policies[i] = policies[i] == "auto" ? usual_policy(engines[i]) : policies[i];
  }
  return policies;
}

StepArguments parse(const BenchArguments& arguments) {
  StepArguments parsed;
  parsed.models = arguments.names("model", model_names());
  parsed.engines = arguments.names("engine", engine_names());
  parsed.policies = policies_of(arguments, parsed.engines);
  std::vector<std::string> encodings = names_of<Encoding>();
  encodings.emplace_back("auto");
  parsed.encodings = for_each_engine(arguments, "encoding", encodings, parsed.engines.size());
  parsed.rounding = arguments.names("rounding", {"stochastic", "nearest"}).front();
  parsed.training.batch = static_cast<int>(arguments.integer("batch", 1, 1 << 16));
  parsed.training.shards = static_cast<int>(arguments.integer("shards", 1, 1 << 16));
  parsed.training.threads = static_cast<int>(arguments.integer("threads", 1, 1024));
  parsed.layers = arguments.names("layers", {"yes", "no"}).front() == "yes";
  parsed.timing = arguments.timing();
  return parsed;
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
  StepBenchmark(const StepArguments& arguments, const mpi::Communicator& ranks)
      : arguments_(arguments), ranks_(ranks) {
    set_threads(arguments.training.threads);
    for (const std::string& model : arguments.models) {
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
      const std::vector<Timing> timings = time_in_turn(contenders, arguments_.timing, ranks_);
      report.groups.emplace_back();
      for (std::size_t e = 0; e < timings.size(); ++e) {
        report.groups.back().push_back(
            {labels(m, e), static_cast<double>(arguments_.training.batch), timings[e],
             trainings_[m][e]->work(arguments_.training.shards, bytes_per_number(arguments_.engines[e]))});
      }
    }
    return report;
  }

 private:
  using Group = std::vector<std::unique_ptr<Training>>;

  Group make_group(const std::string& model) const {
    const DataSplits data = synthetic_images(model, kEpochSteps * arguments_.training.batch);
    Group group;
    for (std::size_t e = 0; e < arguments_.engines.size(); ++e) {
      TrainerOptions options;
      options.model.name = model;
      options.engine.name = find_named<Engine>(arguments_.engines[e]);
      options.engine.rounding = *find_named<Rounding>(arguments_.rounding);
      options.precision.name = *find_named<Policy>(arguments_.policies[e]);
      options.exchange.encoding = find_named<Encoding>(arguments_.encodings[e]);
      if (options.engine.name == Engine::integer) {  // all layers in 8 bits
        options.precision.formats = FormatScope::per_tensor;
        options.precision.backward = Backward::quantized;
        options.precision.fixed.word_length = kByteBits;
      }
      options.training = arguments_.training;
      group.push_back(std::make_unique<Training>(options, data, arguments_.layers, ranks_));
    }
    return group;
  }

  [[nodiscard]] std::vector<std::pair<std::string, BenchResult::Value>> labels(std::size_t model,
                                                                               std::size_t engine) const {
    const TrainingOptions& training = arguments_.training;
    return {{"model", arguments_.models[model]},     {"engine", arguments_.engines[engine]},
            {"policy", arguments_.policies[engine]}, {"encoding", arguments_.encodings[engine]},
            {"batch", std::int64_t{training.batch}}, {"shards", std::int64_t{training.shards}},
            {"ranks", std::int64_t{ranks_.size()}},  {"threads", std::int64_t{training.threads}}};
  }

  StepArguments arguments_;
  const mpi::Communicator& ranks_;
  std::vector<Group> trainings_;  // by model and engine
};

}  // namespace

BenchmarkEntry step_benchmark() {
  return {
      "step", "training steps on synthetic images held in memory, engines in turn",
      with_timing_options(
          {
              {"model", "lenet5", "models, names between commas"},
              {"engine", "float32,emulated", "engines, names between commas; ratios are against the first"},
              {"policy", "auto",
               "precision policy of all engines, or one for each; auto: float32 for float32 and bfloat16, "
               "adapt for "
               "emulated, fixed 8-bit formats per tensor, backward too, for integer"},
              {"encoding", "auto",
               "of the gradients that ranks exchange, one of all engines, or one for each"},
              {"rounding", "stochastic", "of activations: stochastic, nearest"},
              {"batch", "256", "images per step, over all ranks"},
              {"shards", "8", "virtual shards that the batch is cut into"},
              {"threads", "1", "oneDNN threads per rank"},
              {"layers", "no", "yes: the time of each layer, too"},
          },
          "1"),
      [](const BenchArguments& arguments, const mpi::Communicator& ranks) -> std::unique_ptr<Benchmark> {
        return std::make_unique<StepBenchmark>(parse(arguments), ranks);
      }};
}

}  // namespace adapt
