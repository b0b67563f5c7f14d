#include "nn/quantized/normalization_unit.hpp"

#include <algorithm>
#include <cmath>

#include "nn/not_finite.hpp"
#include "nn/quantized/channels.hpp"
#include "numerics/channels.hpp"

namespace adapt {

NormalizationUnit::NormalizationUnit(const NormalizationParts& parts, bool training, SharedScratch& scratch)
    : parts_(parts),
      training_(training),
      scratch_(scratch),
      epsilon_(parts.normalization->op().normalization()->epsilon),
      channels_(parts.source->channels()),
      mean_(channels_),
      inverse_deviation_(channels_),
      factor_(parts.source->period()),
      addend_(parts.source->period()),
      lanes_(parts.source->period()),
      more_lanes_(parts.source->period()),
      sums_(channels_),
      products_(channels_) {
  scratch.make_room(parts.source->strip());
  if (parts.operand != nullptr) {
    operand_.emplace(parts.operand->name, Quantizer::Tensor::operands, parts.operand->layer);
  }
}

void NormalizationUnit::prepare(Pass& /*pass*/) {
  RunningStatistics& statistics = *parts_.statistics;
  if (!training_) {
    set_coefficients(
        std::vector<double>(statistics.running_mean.begin(), statistics.running_mean.end()),
        std::vector<double>(statistics.running_variance.begin(), statistics.running_variance.end()));
    return;
  }
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(products_.begin(), products_.end(), 0.0);
  parts_.source->each_strip([&](std::size_t first, std::size_t length) {
    const auto x = parts_.source->read(first, source_strip(length));
    sum_gradients(x, x);
  });
  const double pixels = static_cast<double>(parts_.source->elements()) / static_cast<double>(channels_);
  std::vector<double> variance(channels_);
  for (std::size_t c = 0; c < channels_; ++c) {
    const double mean = sums_[c] / pixels;
    variance[c] = std::max(products_[c] / pixels - mean * mean, 0.0);
    statistics.shard_mean[c] = static_cast<float>(mean);
    statistics.shard_variance[c] = static_cast<float>(variance[c]);
    sums_[c] = mean;
  }
  set_coefficients(sums_, variance);
}

void NormalizationUnit::set_coefficients(std::span<const double> mean, std::span<const double> variance) {
  for (std::size_t c = 0; c < channels_; ++c) {
    mean_[c] = mean[c];
    inverse_deviation_[c] = 1 / std::sqrt(variance[c] + epsilon_);
  }
  const auto factor = [&](std::size_t c) { return parts_.scale->working[c] * inverse_deviation_[c]; };
  repeat_channels(factor_, channels_, factor);
  repeat_channels(addend_, channels_,
                  [&](std::size_t c) { return parts_.shift->working[c] - mean_[c] * factor(c); });
}

void NormalizationUnit::normalize(std::span<const float> x, std::span<float> y) const {
  scale_channels(x, y, factor_, addend_);
}

void NormalizationUnit::apply(Pass& pass) {
  std::vector<ProductUnit*> takers;
  for (ProductUnit* consumer : parts_.consumers) {
    if (consumer->wants_input(pass)) {
      takers.push_back(consumer);
      consumer->begin_input(pass);
    }
  }
  const bool stores = parts_.floats_needed || takers.size() < parts_.consumers.size();
  if (operand_) {
    operand_->begin(pass);
  }
  const std::span<float> destination = stores ? parts_.destination->floats() : std::span<float>();
  if (training_ && parts_.rectifies && !marks_) {
    marks_ = scratch_.arena.take(mark_bytes(parts_.destination->elements()));
  }
  parts_.source->each_strip([&](std::size_t first, std::size_t length) {
    const auto y = stores ? destination.subspan(first, length) : strip(length);
    const auto x = parts_.source->read(first, source_strip(length));
    if (parts_.other == nullptr) {
      normalize(x, y);
      check_finite(pass, *parts_.normalization, y);
    } else {
      // The sum may stand where the other operand does.
      const auto operand = strip(length);
      normalize(x, operand);
      check_finite(pass, *parts_.normalization, operand);
      operand_->to_grid(first, operand, operand);
      add(parts_.other->read(first, other_strip(length)), operand);
      check_finite(pass, *parts_.sum, operand);
      if (stores) {
        std::copy(operand.begin(), operand.end(), y.begin());
      }
    }
    if (parts_.rectifies) {
      rectify(first, y);
    }
    for (ProductUnit* taker : takers) {
      taker->take_input(first, y);
    }
  });
  if (operand_) {
    operand_->end(pass);
  }
  for (ProductUnit* taker : takers) {
    taker->end_input(pass);
  }
  if (stores) {
    parts_.destination->set_floats();
  }
  if (parts_.producer != nullptr && !training_) {
    parts_.producer->drop_outputs();
  }
}

void NormalizationUnit::rectify(std::size_t first, std::span<float> y) {
  clear_negative(
      y, training_ ? marks_of(marks_.as<std::uint8_t>(), first, y.size()) : std::span<std::uint8_t>());
}

void NormalizationUnit::rectify_gradient(std::size_t first, std::span<float> gradient) {
  keep_marked(marks_of(marks_.as<std::uint8_t>(), first, gradient.size()), gradient);
}

void NormalizationUnit::sum_gradients(std::span<const float> gradient, std::span<const float> x) {
  sum_channels(gradient, lanes_);
  sum_products(gradient, x, more_lanes_);
  fold_lanes(lanes_, sums_);
  fold_lanes(more_lanes_, products_);
}

std::span<const float> NormalizationUnit::normalized_gradient(std::size_t first, std::size_t length) {
  const auto room = other_strip(length);
  if (parts_.other != nullptr) {
    return parts_.normalized_gradient->read(first, room);
  }
  const auto gradient = parts_.gradient->read(first, room);
  if (!parts_.rectifies) {
    return gradient;
  }
  if (gradient.data() != room.data()) {
    std::copy(gradient.begin(), gradient.end(), room.begin());
  }
  rectify_gradient(first, room);
  return room;
}

void NormalizationUnit::begin_backward(Pass& /*pass*/) {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(products_.begin(), products_.end(), 0.0);
  const std::span<float> to = parts_.other == nullptr ? std::span<float>() : parts_.sum_gradient->floats();
  parts_.source->each_strip([&](std::size_t first, std::size_t length) {
    const auto x = parts_.source->read(first, source_strip(length));
    if (parts_.other == nullptr) {
      sum_gradients(normalized_gradient(first, length), x);
      return;
    }
    const auto masked = to.subspan(first, length);
    const auto gradient = parts_.gradient->read(first, other_strip(length));
    if (gradient.data() != masked.data()) {
      std::copy(gradient.begin(), gradient.end(), masked.begin());
    }
    if (parts_.rectifies) {
      rectify_gradient(first, masked);
    }
    sum_gradients(masked, x);
  });
  if (parts_.other != nullptr) {
    parts_.sum_gradient->set_floats();
  }
}

void NormalizationUnit::backward(Pass& pass) {
  if (parts_.other == nullptr) {
    begin_backward(pass);
  }
  finish_sums();
  const bool hands_over = parts_.producer != nullptr && parts_.producer->wants_gradient(pass);
  if (parts_.source_gradient != nullptr || hands_over) {
    source_backward(pass, hands_over);
  }
  marks_.reset();
  if (parts_.producer != nullptr) {
    parts_.producer->drop_outputs();
  }
}

void NormalizationUnit::source_backward(Pass& pass, bool hands_over) {
  const double pixels = static_cast<double>(parts_.source->elements()) / static_cast<double>(channels_);
  AlignedVector<float> x_factor(factor_.size());
  AlignedVector<float> constant(factor_.size());
  // dx = a · (dy - mean(dy) - x̂ · mean(dy · x̂)) with x̂ = (x - mean) / deviation, as a · dy + x_factor · x +
  // constant.
  const auto slope = [&](std::size_t c) {
    const double a = parts_.scale->working[c] * inverse_deviation_[c];
    return -a * inverse_deviation_[c] * products_[c] / pixels;
  };
  repeat_channels(x_factor, channels_, slope);
  repeat_channels(constant, channels_, [&](std::size_t c) {
    const double a = parts_.scale->working[c] * inverse_deviation_[c];
    return -a * sums_[c] / pixels - slope(c) * mean_[c];
  });
  if (hands_over) {
    parts_.producer->begin_gradient(pass);
  }
  const std::span<float> to = hands_over ? std::span<float>() : parts_.source_gradient->floats();
  parts_.source->each_strip([&](std::size_t first, std::size_t length) {
    const auto x = parts_.source->read(first, source_strip(length));
    const auto gradient = normalized_gradient(first, length);
    const auto result = hands_over ? strip(length) : to.subspan(first, length);
    combine_channels(gradient, x, result, factor_, x_factor, constant);
    if (hands_over) {
      parts_.producer->take_gradient(first, result);
    }
  });
  if (hands_over) {
    parts_.producer->end_gradient(pass);
  } else {
    parts_.source_gradient->set_floats();
  }
}

void NormalizationUnit::finish_sums() {
  // Σ dy · x becomes Σ dy · x̂.
  for (std::size_t c = 0; c < channels_; ++c) {
    products_[c] = (products_[c] - mean_[c] * sums_[c]) * inverse_deviation_[c];
    parts_.scale->gradient[c] = static_cast<float>(products_[c]);
    parts_.shift->gradient[c] = static_cast<float>(sums_[c]);
  }
}

}  // namespace adapt
