#include "nn/quantized/normalization_unit.hpp"

#include <algorithm>

#include "nn/not_finite.hpp"
#include "numerics/channels.hpp"

namespace adapt {

NormalizationUnit::NormalizationUnit(const NormalizationParts& parts, bool training, SharedScratch& scratch)
    : parts_(parts),
      training_(training),
      scratch_(scratch),
      kernel_(parts.source->channels(), parts.normalization->op().normalization()->epsilon),
      pixels_(static_cast<double>(parts.source->elements()) / static_cast<double>(parts.source->channels())) {
  scratch.make_room(parts.source->tile());
  if (parts.operand != nullptr) {
    operand_.emplace(parts.operand->name, Quantizer::Tensor::operands, parts.operand->layer);
  }
}

void NormalizationUnit::prepare(Pass& /*pass*/) {
  RunningStatistics& statistics = *parts_.statistics;
  const auto doubles = [](const AlignedVector<float>& numbers) {
    return std::vector<double>(numbers.begin(), numbers.end());
  };
  if (!training_) {
    kernel_.set({doubles(statistics.running_mean), doubles(statistics.running_variance)},
                parts_.scale->working, parts_.shift->working);
    return;
  }
  kernel_.clear_sums();
  parts_.source->each_tile(
      [&](std::size_t first, std::size_t length) { kernel_.add(parts_.source->numbers(first), length); });
  const BatchNormKernel::Statistics found = kernel_.statistics(pixels_);
  std::ranges::copy(found.mean, statistics.shard_mean.begin());
  std::ranges::copy(found.variance, statistics.shard_variance.begin());
  kernel_.set(found, parts_.scale->working, parts_.shift->working);
}

void NormalizationUnit::apply(Pass& pass) {
  std::vector<ProductUnit*> takers;
  for (ProductUnit* consumer : parts_.consumers) {
    if (consumer->takes_tiles()) {
      takers.push_back(consumer);
      consumer->begin_input(pass);
    }
  }
  const bool stores = parts_.floats_needed || takers.size() < parts_.consumers.size();
  if (operand_) {
    operand_->begin(pass);
  }
  const std::span<float> destination = stores ? parts_.destination->floats() : std::span<float>();
  if (training_ && parts_.rectifies && !mask_) {
    mask_ = scratch_.arena.take(mask_bytes(parts_.destination->elements()));
  }
  parts_.source->each_tile([&](std::size_t first, std::size_t length) {
    const auto y = stores ? destination.subspan(first, length) : tile(length);
    const Numbers x = parts_.source->numbers(first);
    if (parts_.other == nullptr) {
      kernel_.normalize(x, y);
      check_finite(pass, *parts_.normalization, y);
    } else {
      // The sum may stand where the other operand does.
      const auto operand = tile(length);
      kernel_.normalize(x, operand);
      check_finite(pass, *parts_.normalization, operand);
      operand_->to_grid(first, operand, operand);
      add(operand, parts_.other->read(first, other_tile(length)), y);
      check_finite(pass, *parts_.sum, y);
    }
    if (parts_.rectifies) {
      rectify(y, training_ ? mask_of(mask_.as<std::uint8_t>(), first, length) : std::span<std::uint8_t>());
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

const std::uint8_t* NormalizationUnit::mask_from(std::size_t first) {
  return parts_.rectifies ? mask_.as<std::uint8_t>().data() + first / 8 : nullptr;
}

Numbers NormalizationUnit::normalized_gradient(std::size_t first) {
  if (parts_.other != nullptr) {
    return parts_.normalized_gradient->numbers(first);
  }
  Numbers gradient = parts_.gradient->numbers(first);
  gradient.mask = mask_from(first);
  return gradient;
}

void NormalizationUnit::begin_backward(Pass& /*pass*/) {
  kernel_.clear_sums();
  const std::span<float> to = parts_.other == nullptr ? std::span<float>() : parts_.sum_gradient->floats();
  parts_.source->each_tile([&](std::size_t first, std::size_t length) {
    const Numbers x = parts_.source->numbers(first);
    if (parts_.other == nullptr) {
      kernel_.add(normalized_gradient(first), x, length);
      return;
    }
    const auto masked = to.subspan(first, length);
    const auto gradient = parts_.gradient->read(first, other_tile(length));
    if (gradient.data() != masked.data()) {
      std::copy(gradient.begin(), gradient.end(), masked.begin());
    }
    if (parts_.rectifies) {
      apply_mask(mask_of(mask_.as<std::uint8_t>(), first, length), masked);
    }
    kernel_.add({.floats = masked.data()}, x, length);
  });
  if (parts_.other != nullptr) {
    parts_.sum_gradient->set_floats();
  }
}

void NormalizationUnit::backward(Pass& pass) {
  if (parts_.other == nullptr) {
    begin_backward(pass);
  }
  kernel_.finish_gradients(pixels_, parts_.scale->working, parts_.scale->gradient, parts_.shift->gradient);
  const bool hands_over = parts_.producer != nullptr && parts_.producer->takes_tiles();
  if (parts_.source_gradient != nullptr || hands_over) {
    source_backward(pass, hands_over);
  }
  mask_.reset();
  if (parts_.producer != nullptr) {
    parts_.producer->drop_outputs();
  }
}

void NormalizationUnit::source_backward(Pass& pass, bool hands_over) {
  if (hands_over) {
    parts_.producer->begin_gradient(pass);
  }
  const std::span<float> to = hands_over ? std::span<float>() : parts_.source_gradient->floats();
  parts_.source->each_tile([&](std::size_t first, std::size_t length) {
    const auto result = hands_over ? tile(length) : to.subspan(first, length);
    kernel_.gradient(normalized_gradient(first), parts_.source->numbers(first), result);
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

}  // namespace adapt
