#include "train/inference.hpp"

#include "base/error.hpp"
#include "nn/inference/network.hpp"
#include "nn/kernels/onednn.hpp"
#include "nn/passes/lower.hpp"
#include "train/engine.hpp"

namespace adapt {
namespace {

Shape with_batch(Shape image, int batch) {
  image.n = batch;
  return image;
}

class EmulatedClassifier : public Classifier {
 public:
  EmulatedClassifier(const TrainedModel& model, int batch)
      : plan_(model.plan),
        graph_(lower(model.description, with_batch(model.image, batch), /*quantized=*/true)),
        network_(graph_, model.state, /*training=*/false) {}

  [[nodiscard]] int batch() const override { return network_.batch(); }
  LossSum classify(std::span<const float> images, std::span<const std::int32_t> labels) override {
    Pass pass;
    pass.plan = &plan_;
    return network_.forward(images, labels, pass);
  }
  [[nodiscard]] std::span<const float> logits() const override { return network_.logits(); }
  void count_layers() override { network_.count_layers(); }
  [[nodiscard]] const std::vector<LayerSeconds>& layer_seconds() const override {
    return network_.layer_seconds();
  }
  [[nodiscard]] std::vector<LayerWork> work() const override { return forward_work(graph_, sizeof(float)); }
  [[nodiscard]] int integer_layers() const override { return 0; }

 private:
  PrecisionPlan plan_;
  Graph graph_;
  Network network_;
};

class FoldedClassifier : public Classifier {
 public:
  FoldedClassifier(const TrainedModel& model, int batch, NumberType floats, const PrecisionPlan* formats)
      : network_(lower(model.description, with_batch(model.image, batch), /*quantized=*/false), model.state,
                 floats, formats, batch) {}

  [[nodiscard]] int batch() const override { return network_.batch(); }
  LossSum classify(std::span<const float> images, std::span<const std::int32_t> labels) override {
    return network_.classify(images, labels);
  }
  [[nodiscard]] std::span<const float> logits() const override { return network_.logits(); }
  void count_layers() override { network_.count_layers(); }
  [[nodiscard]] const std::vector<LayerSeconds>& layer_seconds() const override {
    return network_.layer_seconds();
  }
  [[nodiscard]] std::vector<LayerWork> work() const override {
    std::vector<LayerWork> work = inference_work(network_.plan());
    const int piece = network_.plan().values.front().shape.n;
    const int pieces = (batch() + piece - 1) / piece;
    for (LayerWork& layer : work) {
      layer.operations *= pieces;
      layer.bytes *= pieces;
    }
    return work;
  }
  [[nodiscard]] int integer_layers() const override { return network_.plan().integer_products(); }

 private:
  InferenceNetwork network_;
};

}  // namespace

void check_inference_engine(Engine engine) {
  if (engine == Engine::bfloat16) {
    check_bfloat16();
  }
}

std::unique_ptr<Classifier> make_classifier(Engine engine, const TrainedModel& model, int batch) {
  check_inference_engine(engine);
  if (engine == Engine::emulated) {
    return std::make_unique<EmulatedClassifier>(model, batch);
  }
  const bool integer = engine == Engine::integer;
  const NumberType floats = engine == Engine::bfloat16 ? NumberType::bfloat16 : NumberType::float32;
  auto classifier = onednn::translated([&] {
    return std::make_unique<FoldedClassifier>(model, batch, floats, integer ? &model.plan : nullptr);
  });
  if (integer && classifier->integer_layers() == 0) {
    throw BadInput(
        "engine integer: no layer of the model has weights and inputs of at most 8 bits; expected emulated "
        "or float32, or a model trained with such formats (experiments/recipes/integer.yaml)");
  }
  return classifier;
}

}  // namespace adapt
