#include "control/tensor_scales.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/state_bytes.hpp"
#include "mpi/together.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

constexpr auto kFormats = kTensors<std::optional<FixedFormat>>;
constexpr auto kMaxima = kTensors<std::optional<float>>;
constexpr auto kCounters = kTensors<LossCounter>;
/// What stochastic rounding adds to gradients averages out over a batch, and what clipping takes away does
/// not.
constexpr auto kUnclipped = &PerTensor<LossCounter>::activation_gradients;
constexpr std::size_t kWeights = 0;  // place in both; its scale needs no history
static_assert(kMaxima[kWeights] == &LayerMaxima::weights);

}  // namespace

TensorScales::TensorScales(std::vector<std::string> layer_names)
    : names_(std::move(layer_names)),
      observed_(names_.size()),
      running_(names_.size() * kMaxima.size()),
      weights_(names_.size()),
      finer_(running_.size()) {}

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
  std::vector<std::optional<float>> observed = observed_by_tensor();
  allreduce_maxima(observed, ranks);
  if (const auto spoiled = first_not_finite(observed)) {
    throw mpi::SharedError(ExitCode::failed, concat("NaN or Inf among the ", *spoiled, " at step ", step,
                                                    "; a smaller training.learning_rate may help"));
  }
  running_.update(observed);
}

void TensorScales::adopt() {
  const std::vector<std::optional<float>> observed = observed_by_tensor();
  if (const auto spoiled = first_not_finite(observed)) {
    throw Failure(concat("NaN or Inf among the ", *spoiled, " before the first step"));
  }
  running_.update(observed);
}

void TensorScales::adjust(std::span<const PerTensor<LossCounter>> counted, const mpi::Communicator& ranks) {
  for (std::size_t i = 0; ranks.rank() == 0 && i < finer_.size(); ++i) {
    const auto tensor = kCounters[i % kCounters.size()];
    const LossCounter& counter = counted[i / kCounters.size()].*tensor;
    if (tensor != kUnclipped && !counter.is_empty() && running_[i]) {
      const int fitting = fitting_fractional_length(counter.format().word_length, *running_[i]);
      const int wanted = counter.least_error_fractional_length() - fitting;
      const int word_length = counter.format().word_length;
      finer_[i] = {static_cast<std::int8_t>(word_length),
                   static_cast<std::int8_t>(std::clamp(wanted, 0, word_length - 1))};
    }
  }
  ranks.broadcast(std::as_writable_bytes(std::span(finer_)));
}

std::vector<std::optional<float>> TensorScales::observed_by_tensor() const {
  std::vector<std::optional<float>> observed;
  for (const LayerMaxima& layer : observed_) {
    for (const auto tensor : kMaxima) {
      observed.push_back(layer.*tensor);
    }
  }
  return observed;
}

std::optional<std::string> TensorScales::first_not_finite(
    std::span<const std::optional<float>> observed) const {
  for (std::size_t i = 0; i < observed.size(); ++i) {
    if (observed[i] && !std::isfinite(*observed[i])) {
      return concat(kTensorNames[i % kMaxima.size()], " of layer '", names_[i / kMaxima.size()], "'");
    }
  }
  return std::nullopt;
}

PrecisionPlan TensorScales::plan(const PrecisionPlan& decided, std::span<const Extremes> weights) {
  PrecisionPlan plan = decided;
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    if (weights[layer] != Extremes{}) {
      weights_[layer] = weights[layer];
    }
    for (std::size_t t = 0; t < kFormats.size(); ++t) {
      std::optional<FixedFormat>& format = plan.layers.at(layer).*kFormats[t];
      const RunningMaximum& running = running_[layer * kMaxima.size() + t];
      const bool known = t == kWeights ? weights_[layer] != Extremes{} : running.has_value();
      if (!format || !known) {
        format.reset();
        continue;
      }
      const int word_length = format->word_length;
      const int fitting = t == kWeights ? fitting_fractional_length(word_length, weights_[layer])
                                        : fitting_fractional_length(word_length, *running);
      const Finer& finer = finer_of(layer)[t];
      const int octaves = finer.word_length == word_length ? finer.octaves : 0;
      format->fractional_length = std::min(fitting + octaves, kMaxFractionalLength);
    }
  }
  return plan;
}

std::span<TensorScales::Finer> TensorScales::finer_of(std::size_t layer) {
  return std::span(finer_).subspan(layer * kMaxima.size(), kMaxima.size());
}

std::span<const TensorScales::Finer> TensorScales::finer_of(std::size_t layer) const {
  return std::span(finer_).subspan(layer * kMaxima.size(), kMaxima.size());
}

std::vector<std::byte> TensorScales::save_state() const {
  StateWriter writer;
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    running_.save_state(writer, layer * kMaxima.size(), kMaxima.size());
    writer.put(weights_[layer]);
    writer.put_all(finer_of(layer));
  }
  return writer.take();
}

void TensorScales::restore_state(std::span<const std::byte> state) {
  StateReader reader(state);
  for (std::size_t layer = 0; layer < names_.size(); ++layer) {
    running_.restore_state(reader, layer * kMaxima.size(), kMaxima.size());
    weights_[layer] = reader.get<Extremes>();
    reader.get_into(finer_of(layer));
    if (!std::ranges::all_of(finer_of(layer), [](const Finer& finer) {
          return finer.octaves >= 0 && finer.octaves < kMaxWordLength;
        })) {
      throw BadInput(concat("saved state: a scale of layer '", names_[layer], "' that no tensor has"));
    }
  }
  reader.finish();
}

}  // namespace adapt
