#include "exchange/tensor_scales.hpp"

#include <cmath>
#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/state_bytes.hpp"
#include "exchange/running_maximum.hpp"
#include "mpi/together.hpp"

namespace adapt {
namespace {

constexpr auto kFormats = kTensors<std::optional<FixedFormat>>;
constexpr auto kMaxima = kTensors<std::optional<float>>;
constexpr std::size_t kWeights = 0;  // place in both; its scale needs no history
static_assert(kMaxima[kWeights] == &LayerMaxima::weights);

}  // namespace

TensorScales::TensorScales(std::vector<std::string> layer_names)
    : names_(std::move(layer_names)),
      observed_(names_.size()),
      running_(names_.size()),
      weights_(names_.size()) {}

std::vector<LayerMaxima>& TensorScales::begin(const PrecisionPlan& decided) {
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    for (std::size_t t = 0; t < kMaxima.size(); ++t) {
      const bool asked = t != kWeights && (decided.layers.at(layer).*kFormats[t]).has_value();
      observed_[layer].*kMaxima[t] = asked ? std::optional(0.0F) : std::nullopt;
    }
  }
  return observed_;
}

void TensorScales::reduce(std::int64_t step, const mpi::Communicator& ranks) {
  std::vector<std::int64_t> wire;
  for (const LayerMaxima& layer : observed_) {
    for (const auto tensor : kMaxima) {
      wire.push_back(to_wire(layer.*tensor));
    }
  }
  ranks.maximum(wire);
  auto value = wire.begin();
  for (LayerMaxima& layer : observed_) {
    for (const auto tensor : kMaxima) {
      layer.*tensor = from_wire(*value++);
    }
  }
  if (const auto spoiled = first_not_finite()) {
    throw mpi::SharedError(ExitCode::failed, concat("NaN or Inf among the ", *spoiled, " at step ", step,
                                                    "; a smaller training.learning_rate may help"));
  }
  take_observed();
}

void TensorScales::adopt() {
  if (const auto spoiled = first_not_finite()) {
    throw Failure(concat("NaN or Inf among the ", *spoiled, " before the first step"));
  }
  take_observed();
}

std::optional<std::string> TensorScales::first_not_finite() const {
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    for (std::size_t t = 0; t < kMaxima.size(); ++t) {
      const std::optional<float>& observed = observed_[layer].*kMaxima[t];
      if (observed && !std::isfinite(*observed)) {
        return concat(kTensorNames[t], " of layer '", names_[layer], "'");
      }
    }
  }
  return std::nullopt;
}

void TensorScales::take_observed() {
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    for (const auto tensor : kMaxima) {
      RunningMaximum& running = running_[layer].*tensor;
      running = next_maximum(running, observed_[layer].*tensor);
    }
  }
}

PrecisionPlan TensorScales::plan(const PrecisionPlan& decided, std::span<const Extremes> weights) {
  PrecisionPlan plan = decided;
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    if (weights[layer] != Extremes{}) {
      weights_[layer] = weights[layer];
    }
    for (std::size_t t = 0; t < kFormats.size(); ++t) {
      std::optional<FixedFormat>& format = plan.layers.at(layer).*kFormats[t];
      const RunningMaximum& running = running_[layer].*kMaxima[t];
      const bool known = t == kWeights ? weights_[layer] != Extremes{} : running.has_value();
      if (!format || !known) {
        format.reset();
        continue;
      }
      const int word_length = format->word_length;
      format->fractional_length = t == kWeights ? fitting_fractional_length(word_length, weights_[layer])
                                                : fitting_fractional_length(word_length, *running);
    }
  }
  return plan;
}

std::vector<std::byte> TensorScales::save_state() const {
  StateWriter writer;
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    for (const auto tensor : kMaxima) {
      writer.put(to_wire(running_[layer].*tensor));
    }
    writer.put(weights_[layer]);
  }
  return writer.take();
}

void TensorScales::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    for (const auto tensor : kMaxima) {
      running_[layer].*tensor = from_wire(reader.get<std::int64_t>());
    }
    weights_[layer] = reader.get<Extremes>();
  }
  reader.finish();
}

}  // namespace adapt
