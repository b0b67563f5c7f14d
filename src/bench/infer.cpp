#include <algorithm>

#include "base/threads.hpp"
#include "bench/benchmark.hpp"
#include "bench/synthetic.hpp"
#include "data/loader.hpp"
#include "mpi/together.hpp"
#include "nn/models.hpp"
#include "train/inference.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

/// Training steps before the measurement: they give running statistics and the formats of activations.
constexpr int kWarmSteps = 3;
constexpr int kWarmImages = 32;  // a rank's in each
constexpr double kLearningRate = 1e-3;

/// Images of a batch that are a rank's: parts that differ by one at most.
int own_images(int batch, const mpi::Communicator& ranks) {
  return batch / ranks.size() + (ranks.rank() < batch % ranks.size() ? 1 : 0);
}

/// A model after a few steps of training with 8-bit formats, on all ranks together.
TrainedModel warm_model(const std::string& model, const DataSplits& data, const mpi::Communicator& ranks) {
  TrainerOptions options;
  options.model.name = model;
  options.engine.name = Engine::emulated;
  options.precision.name = Policy::fixed;
  options.precision.formats = FormatScope::per_tensor;
  options.precision.fixed.word_length = 8;
  options.training.shards = ranks.size();
  options.training.batch = kWarmImages * ranks.size();
  TrainingStep step(options, data, ranks);
  for (int i = 0; i < kWarmSteps; ++i) {
    step.run(kLearningRate);
  }
  const ImageShape image = data.train->shape();
  return {make_model(model, data.train->classes()),
          {1, image.channels, image.height, image.width},
          step.state(),
          step.plan()};
}

/// One engine's network and the images that it classifies; without images it does nothing.
class Inference {
 public:
  Inference(Engine engine, const TrainedModel& model, const DataSplits& data, int images, bool layers)
      : pixels_(static_cast<std::size_t>(images * model.image.elements())),
        labels_(static_cast<std::size_t>(images)) {
    // On a rank without images the network only says which parts there are.
    classifier_ = make_classifier(engine, model, std::max(images, 1));
    if (layers) {
      classifier_->count_layers();
    }
    const auto image = static_cast<std::size_t>(model.image.elements());
    for (std::size_t first = 0; first < labels_.size(); first += kWarmImages) {
      const std::size_t count = std::min<std::size_t>(kWarmImages, labels_.size() - first);
      read_images(*data.test, data.normalization, 0, std::span(pixels_).subspan(first * image, count * image),
                  std::span(labels_).subspan(first, count));
    }
  }

  void run(std::int64_t calls) {
    for (std::int64_t i = 0; i < calls && !labels_.empty(); ++i) {
      classifier_->classify(pixels_, labels_);
    }
  }

  /// Of `images` images, over all ranks.
  [[nodiscard]] std::vector<PartWork> work(int images) const {
    std::vector<PartWork> work;
    if (classifier_->layer_seconds().empty()) {
      return work;
    }
    const double share = static_cast<double>(images) / classifier_->batch();
    for (const LayerWork& layer : classifier_->work()) {
      work.push_back({"layers", layer.name, share * layer.operations, share * layer.bytes});
    }
    return work;
  }

  [[nodiscard]] std::vector<Part> parts() const {
    std::vector<Part> parts;
    for (const LayerSeconds& layer : classifier_->layer_seconds()) {
      parts.push_back({"layers", layer.name, layer.forward});
    }
    return parts;
  }

 private:
  AlignedVector<float> pixels_;
  std::vector<std::int32_t> labels_;
  std::unique_ptr<Classifier> classifier_;
};

class InferBenchmark : public Benchmark {
 public:
  InferBenchmark(const InferBenchOptions& options, const mpi::Communicator& ranks)
      : options_(options), ranks_(ranks) {
    set_threads(options.threads);
    for (const Engine engine : options.engines) {
      check_inference_engine(engine);
    }
  }

  BenchReport run() override {
    BenchReport report = {"infer", "images", "engine", {}};
    for (const std::string& model : options_.models) {
      report.groups.push_back(run_model(model));
    }
    return report;
  }

 private:
  std::vector<BenchResult> run_model(const std::string& model) {
    const DataSplits data = synthetic_images(model, std::int64_t{kWarmImages} * ranks_.size());
    const TrainedModel trained = warm_model(model, data, ranks_);
    std::vector<std::unique_ptr<Inference>> inferences;
    std::vector<Contender> contenders;
    mpi::together(ranks_, [&] {
      for (const Engine engine : options_.engines) {
        inferences.push_back(std::make_unique<Inference>(
            engine, trained, data, own_images(options_.batch, ranks_), options_.layers));
        Inference& inference = *inferences.back();
        contenders.push_back({[&inference](std::int64_t calls) { inference.run(calls); },
                              [&inference] { return inference.parts(); }});
      }
    });
    const std::vector<Timing> timings = time_in_turn(contenders, options_.timing, ranks_);
    std::vector<BenchResult> results;
    for (std::size_t e = 0; e < timings.size(); ++e) {
      results.push_back({{{"model", model},
                          {"engine", std::string(name_of(options_.engines[e]))},
                          {"batch", std::int64_t{options_.batch}},
                          {"ranks", std::int64_t{ranks_.size()}},
                          {"threads", std::int64_t{options_.threads}}},
                         static_cast<double>(options_.batch),
                         timings[e],
                         inferences[e]->work(options_.batch)});
    }
    return results;
  }

  InferBenchOptions options_;
  const mpi::Communicator& ranks_;
};

}  // namespace

std::unique_ptr<Benchmark> make_infer_benchmark(const InferBenchOptions& options,
                                                const mpi::Communicator& ranks) {
  return std::make_unique<InferBenchmark>(options, ranks);
}

}  // namespace adapt
