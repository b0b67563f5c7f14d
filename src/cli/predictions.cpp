#include "cli/predictions.hpp"

#include "base/file.hpp"
#include "record/npz.hpp"

namespace adapt::cli {

LossSum RecordingClassifier::classify(std::span<const float> images, std::span<const std::int32_t> labels) {
  const LossSum sum = classifier_->classify(images, labels);
  const std::span<const float> all = classifier_->logits();
  const std::size_t classes = all.size() / static_cast<std::size_t>(batch());
  const auto said = all.first(labels.size() * classes);
  said_.insert(said_.end(), said.begin(), said.end());
  return sum;
}

void RecordingClassifier::write(const std::string& path, const Dataset& dataset,
                                const Normalization& normalization) const {
  const ImageShape shape = dataset.shape();
  const std::int64_t count = dataset.size();
  const auto size = static_cast<std::size_t>(shape.elements());
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * size);
  std::vector<std::int32_t> labels;
  for (std::int64_t image = 0; image < count; ++image) {
    labels.push_back(
        dataset.read(image, std::span(pixels).subspan(static_cast<std::size_t>(image) * size, size)));
  }
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::vector<NpzArray> arrays = {
      npz_array<std::uint8_t>("images", "|u1", {count, shape.height, shape.width, shape.channels}, pixels),
      npz_array<float>("mean", "<f4", {shape.channels}, std::span(normalization.mean).first(channels)),
      npz_array<float>("deviation", "<f4", {shape.channels},
                       std::span(normalization.deviation).first(channels)),
      npz_array<std::int32_t>("labels", "<i4", {count}, labels),
      npz_array<float>("logits", "<f4", {count, static_cast<std::int64_t>(said_.size()) / count}, said_)};
  write_atomically(path, npz_bytes(arrays));
}

}  // namespace adapt::cli
