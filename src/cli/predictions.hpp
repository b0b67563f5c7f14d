#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "train/inference.hpp"

namespace adapt::cli {

/// A classifier that remembers what it said, in the order in which it was asked.
class RecordingClassifier final : public Classifier {
 public:
  explicit RecordingClassifier(std::unique_ptr<Classifier> classifier) : classifier_(std::move(classifier)) {}

  [[nodiscard]] int batch() const override { return classifier_->batch(); }
  LossSum classify(std::span<const float> images, std::span<const std::int32_t> labels) override;
  [[nodiscard]] std::span<const float> logits() const override { return classifier_->logits(); }
  void count_layers() override { classifier_->count_layers(); }
  [[nodiscard]] const std::vector<LayerSeconds>& layer_seconds() const override {
    return classifier_->layer_seconds();
  }
  [[nodiscard]] std::vector<LayerWork> work() const override { return classifier_->work(); }
  [[nodiscard]] int integer_layers() const override { return classifier_->integer_layers(); }

  /// Writes an .npz file: `images` (N, H, W, C) as bytes, `mean` and `deviation` (C), which normalize them,
  /// `labels` (N) and `logits` (N, classes) of all images of `dataset`, which it has just classified.
  void write(const std::string& path, const Dataset& dataset, const Normalization& normalization) const;

 private:
  std::unique_ptr<Classifier> classifier_;
  std::vector<float> said_;
};

}  // namespace adapt::cli
