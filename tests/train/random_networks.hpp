#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "data/memory_dataset.hpp"
#include "numerics/random.hpp"
#include "support/model_builder.hpp"
#include "train/trainer.hpp"

namespace adapt::test {

/// Draws small networks, data and precision settings from a seed: convolutions, batch norm, residual sums,
/// pooling and linear layers in any order that fits, under any policy.
class RandomTraining {
 public:
  explicit RandomTraining(std::uint64_t seed) : random_({.seed = seed, .stream = Stream::test}) {
    options_.seed = seed;
    draw_recipe();
    draw_precision();
    options_.model.graph = draw_network();
    data_ = draw_images();
  }

  [[nodiscard]] const TrainerOptions& options() const { return options_; }
  [[nodiscard]] const DataSplits& data() const { return data_; }
  /// All whose bits must not depend on the number of ranks, with and without error feedback.
  [[nodiscard]] std::vector<ExchangeOptions> exchanges() const {
    std::vector<ExchangeOptions> all = {{Encoding::exact, false},
                                        {Encoding::int8, false},
                                        {Encoding::int8, true},
                                        {Encoding::int16, false},
                                        {Encoding::int16, true}};
    if (options_.precision.name != Policy::float32) {
      all.push_back({Encoding::layer, false});
    }
    return all;
  }

 private:
  static constexpr int kSide = 8;
  static constexpr int kClasses = 5;

  bool coin() { return random_.below(2) == 1; }
  int from(int low, int high) {
    return low + static_cast<int>(random_.below(static_cast<std::uint32_t>(high - low + 1)));
  }

  void draw_recipe() {
    TrainingOptions& training = options_.training;
    training.shards = 64;
    training.accumulate = from(1, 2);
    training.batch = 64 * from(1, 2);
    training.test_batch = 8;
    training.learning_rate = 0.01 * from(1, 5);
    training.weight_decay = coin() ? 1e-3 : 0;
    training.l1 = coin() ? 1e-4 : 0;
  }

  void draw_precision() {
    PolicyOptions& precision = options_.precision;
    constexpr Policy kPolicies[] = {Policy::float32, Policy::fixed, Policy::adapt, Policy::muppet};
    precision.name = kPolicies[random_.below(4)];
    if (precision.name == Policy::float32) {
      return;
    }
    options_.engine.name = Engine::emulated;
    precision.fixed = {from(8, 16), from(6, 10)};
    precision.adapt.lookback_lower = from(1, 3);
    precision.adapt.lookback_upper = precision.adapt.lookback_lower + from(1, 4);
    precision.muppet.resolution = 2;
    precision.muppet.threshold = 0;
    precision.muppet.slack = 0;
    const bool per_tensor = precision.name == Policy::muppet || coin();
    precision.formats = per_tensor ? FormatScope::per_tensor : FormatScope::per_layer;
    precision.backward = per_tensor ? Backward::quantized : Backward::float32;
  }

  std::string draw_network() {
    ModelBuilder builder("random");
    const int blocks = from(1, 3);
    int side = kSide;
    for (int block = 1; block <= blocks; ++block) {
      const std::string name = concat("block", block);
      const bool normalized = coin();
      const int channels = from(2, 6);
      builder.convolution(name + ".conv1",
                          {.channels = channels, .kernel = 3, .padding = 1, .bias = !normalized});
      if (normalized) {
        builder.batch_norm(name + ".bn1");
      }
      coin() ? builder.relu() : builder.tanh();
      if (normalized && coin()) {
        const int shortcut = builder.value();
        builder.convolution(name + ".conv2",
                            {.channels = channels, .kernel = 3, .padding = 1, .bias = false});
        builder.batch_norm(name + ".bn2").add(name + ".sum", shortcut).relu();
      }
      if (side >= 4) {
        coin() ? builder.max_pool(2) : builder.average_pool(2);
        side /= 2;
      }
    }
    if (coin()) {
      builder.linear("hidden", from(4, 20)).relu();
    }
    return builder.linear("out", kClasses).text();
  }

  DataSplits draw_images() {
    const int images = 2 * options_.training.step_images();  // epochs of two steps
    ImageArrays arrays = {{kSide, kSide, from(1, 3)}, kClasses, {}, {}};
    arrays.pixels.resize(static_cast<std::size_t>(images * kSide * kSide * arrays.shape.channels));
    for (std::uint8_t& pixel : arrays.pixels) {
      pixel = static_cast<std::uint8_t>(random_.below(256));
    }
    for (int i = 0; i < images; ++i) {
      arrays.labels.push_back(static_cast<std::uint8_t>(random_.below(kClasses)));
    }
    const auto dataset = std::make_shared<MemoryDataset>(std::move(arrays));
    return {dataset, dataset, {.mean = {0.5F, 0.5F, 0.5F}, .deviation = {0.29F, 0.29F, 0.29F}}};
  }

  RandomSequence random_;
  TrainerOptions options_;
  DataSplits data_;
};

}  // namespace adapt::test
