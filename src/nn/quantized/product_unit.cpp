#include "nn/quantized/product_unit.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/stopwatch.hpp"
#include "nn/kernels/channels.hpp"
#include "nn/not_finite.hpp"
#include "numerics/channels.hpp"

namespace adapt {

ProductUnit::ProductUnit(const ProductParts& parts, bool training, bool integer, SharedScratch& scratch)
    : parts_(parts),
      training_(training),
      integer_(integer),
      scratch_(scratch),
      geometry_(geometry_of(*parts.product->op().product(), parts.product->input, parts.product->output)),
      weight_gradient_(geometry_),
      inputs_(parts.inputs->name, Quantizer::Tensor::inputs, parts.inputs->layer),
      outputs_(parts.outputs->name, Quantizer::Tensor::outputs, parts.outputs->layer),
      gradients_(parts.outputs->name, Quantizer::Tensor::activation_gradients, parts.outputs->layer) {
  if (integer && training && !IntegerConvolution::fits(geometry_)) {
    const bool words = GridConvolution::fits(geometry_);
    log_info(concat("layer ", parts.product->name, " does not run ", words ? "on bytes" : "in integers",
                    ": a sum of its ", IntegerConvolution::terms(geometry_), " products may exceed ",
                    words ? 32 : 53, " bits"));
  }
  scratch.make_room(std::max(parts.source->tile(), parts.raw->tile()));
  if (parts.bias != nullptr) {
    bias_.resize(parts.raw->period());
    bias_lanes_.resize(parts.raw->period());
    bias_sums_.resize(parts.raw->channels());
  }
}

std::optional<FixedFormat> ProductUnit::weight_format(const Pass& pass) const {
  if (pass.plan == nullptr) {
    return std::nullopt;
  }
  return pass.plan->layers.at(static_cast<std::size_t>(parts_.product->layer)).weights;
}

bool ProductUnit::formats_fit(const Pass& pass, int bits) const {
  const auto weights = weight_format(pass);
  if (!inputs_.fits(pass, bits) || !weights || weights->word_length > bits ||
      !steps_multiply(*weights, *inputs_.format(pass))) {
    return false;
  }
  return !training_ || (gradients_.fits(pass, bits) && steps_multiply(*weights, *gradients_.format(pass)) &&
                        steps_multiply(*inputs_.format(pass), *gradients_.format(pass)));
}

bool ProductUnit::runs_bytes(const Pass& pass) const {
  return integer_ && IntegerConvolution::fits(geometry_) && formats_fit(pass, kByteBits);
}

bool ProductUnit::runs_words(const Pass& pass) const {
  return integer_ && geometry_.groups == 1 && GridConvolution::fits(geometry_) &&
         formats_fit(pass, kWordBits);
}

bool ProductUnit::runs_integer(const Pass& pass) const {
  if (runs_bytes(pass)) {
    return true;
  }
  const auto weights = weight_format(pass);
  return integer_ && GridConvolution::fits(geometry_) && inputs_.fits(pass, kWordBits) && weights &&
         weights->word_length <= kWordBits && steps_multiply(*weights, *inputs_.format(pass));
}

float ProductUnit::step_of(const Quantizer& quantizer, const Pass& pass) const {
  return quantizer.format(pass)->step();
}

bool ProductUnit::select(const Pass& pass) {
  const bool were_words = is_words_;
  is_bytes_ = runs_bytes(pass);
  is_words_ = !is_bytes_ && runs_words(pass);
  if ((is_bytes_ ? !grid_ : !convolution_) && is_words_ == were_words) {
    return false;
  }
  if (is_bytes_) {
    grid_.reset();
  } else {
    convolution_.reset();
  }
  input_integers_.reset();
  output_bytes_.reset();
  return true;
}

void ProductUnit::reserve(Arena::Block& block, std::size_t bytes) {
  if (block.size() != bytes) {
    block = scratch_.arena.take(bytes);
  }
}

void ProductUnit::begin_input(const Pass& pass) {
  reserve(input_integers_, parts_.source->elements() * integer_bytes());
  inputs_.begin(pass);
}

void ProductUnit::take_input(std::size_t first, std::span<const float> tile) {
  to_integers(inputs_, input_integers_, first, tile);
}

void ProductUnit::to_integers(Quantizer& quantizer, const Arena::Block& block, std::size_t first,
                              std::span<const float> tile) {
  if (is_words_) {
    quantizer.to_words(first, tile, block.as<std::int16_t>().subspan(first, tile.size()));
  } else {
    quantizer.to_bytes(first, {.floats = tile.data()}, block.as<std::int8_t>().subspan(first, tile.size()));
  }
}

void ProductUnit::end_input(Pass& pass) { inputs_.end(pass); }

void ProductUnit::quantize_inputs(Pass& pass) {
  const Stopwatch watch;
  if (takes_tiles()) {
    if (!parts_.source_is_normalized) {
      begin_input(pass);
      parts_.source->each_tile([&](std::size_t first, std::size_t length) {
        take_input(first, parts_.source->read(first, tile(length)));
      });
      end_input(pass);
    }
    if (is_bytes_) {
      parts_.quantized->set_bytes(input_integers_.as<std::int8_t>().data(), step_of(inputs_, pass));
    }
  } else {
    const std::span<float> to = parts_.quantized->floats();
    inputs_.begin(pass);
    parts_.source->each_tile([&](std::size_t first, std::size_t length) {
      inputs_.to_grid(first, parts_.source->read(first, tile(length)), to.subspan(first, length));
    });
    inputs_.end(pass);
    parts_.quantized->set_floats();
  }
  pass.quantize_seconds += watch.seconds();
}

void ProductUnit::update_weights(const Pass& pass) {
  const FixedFormat format = *weight_format(pass);
  if (!convolution_) {
    convolution_.emplace(geometry_, parts_.quantized_gradient != nullptr);
  } else if (weights_version_ == parts_.weight->version &&
             weights_fractional_length_ == format.fractional_length) {
    return;
  }
  if (!convolution_->set_weights(parts_.weight->working, format)) {
    throw NotFinite(pass, concat("the weights of '", parts_.product->name, "'"));
  }
  weights_version_ = parts_.weight->version;
  weights_fractional_length_ = format.fractional_length;
}

GridArithmetic::Tensor ProductUnit::on_grid(const Pass& pass, const Quantizer& quantizer,
                                            const Value& value) {
  const auto format = quantizer.format(pass);
  return {value.floats().data(), format, format ? quantizer.largest_integer() : 0};
}

GridArithmetic::Tensor ProductUnit::in_words(const Pass& pass, const Quantizer& quantizer,
                                             const Arena::Block& block) {
  return {.numbers = nullptr,
          .format = quantizer.format(pass),
          .largest = quantizer.largest_integer(),
          .words = block.as<std::int16_t>().data()};
}

void ProductUnit::count(Pass& pass, bool in_integers) const {
  const auto madds =
      geometry_.output.elements() * static_cast<std::int64_t>(forward_product(geometry_).terms());
  pass.work.madds += madds;
  pass.work.integer += in_integers ? madds : 0;
}

void ProductUnit::multiply(Pass& pass) {
  if (is_bytes_) {
    multiply_bytes(pass);
  } else {
    multiply_floats(pass);
  }
}

void ProductUnit::multiply_bytes(Pass& pass) {
  count(pass, true);
  update_weights(pass);
  begin_outputs(pass);
  const float step = step_of(inputs_, pass) * weight_format(pass)->step();
  const std::size_t most = parts_.raw->tile();
  // Nothing is done to the sums on the way; they are finite.
  const bool direct = gives_bytes(pass) && parts_.bias == nullptr;
  PassingSink sums(scratch_.sums, [&](std::size_t first, std::span<const std::int32_t> piece) {
    const Stopwatch watch;
    if (direct) {
      outputs_.to_bytes(first, {.sums = piece.data(), .step = step},
                        output_bytes_.as<std::int8_t>().subspan(first, piece.size()));
    }
    for (std::size_t done = 0; !direct && done < piece.size(); done += most) {
      const std::size_t length = std::min(most, piece.size() - done);
      from_sums(piece.subspan(done, length), tile(length), step);
      take_outputs(pass, first + done, tile(length));
    }
    pass.quantize_seconds += watch.seconds();
  });
  convolution_->forward(input_integers_.as<std::int8_t>().data(), sums);
  if (!training_) {
    input_integers_.reset();
  }
  end_outputs(pass);
}

void ProductUnit::multiply_floats(Pass& pass) {
  if (!grid_) {
    grid_.emplace(geometry_, integer_);
  }
  begin_outputs(pass);
  const std::size_t most = parts_.raw->tile();
  PassingSink numbers(scratch_.outputs, [&](std::size_t first, std::span<const float> piece) {
    const Stopwatch watch;
    for (std::size_t done = 0; done < piece.size(); done += most) {
      take_outputs(pass, first + done, piece.subspan(done, std::min(most, piece.size() - done)));
    }
    pass.quantize_seconds += watch.seconds();
  });
  const GridArithmetic::Tensor x =
      is_words_ ? in_words(pass, inputs_, input_integers_) : on_grid(pass, inputs_, *parts_.quantized);
  const bool exact = grid_->forward(x, *parts_.weight, weight_format(pass), numbers);
  if (is_words_ && !exact) {
    throw NotFinite(pass, concat("the weights of '", parts_.product->name, "'"));
  }
  count(pass, exact);
  if (is_words_ && !training_) {
    input_integers_.reset();
  }
  end_outputs(pass);
}

bool ProductUnit::gives_bytes(const Pass& pass) const {
  return parts_.is_normalized && is_bytes_ && outputs_.fits(pass, kByteBits);
}

void ProductUnit::begin_outputs(const Pass& pass) {
  if (gives_bytes(pass)) {
    reserve(output_bytes_, parts_.raw->elements());
  }
  if (parts_.bias != nullptr) {
    repeat_channels(bias_, parts_.raw->channels(), [&](std::size_t c) { return parts_.bias->working[c]; });
  }
  outputs_.begin(pass);
}

void ProductUnit::take_outputs(const Pass& pass, std::size_t first, std::span<const float> numbers) {
  const std::size_t length = numbers.size();
  if (parts_.bias != nullptr) {
    if (numbers.data() != tile(length).data()) {
      std::copy(numbers.begin(), numbers.end(), tile(length).begin());
    }
    add_channels(tile(length), bias_);
    numbers = tile(length);
  }
  check_finite(pass, *parts_.product, numbers);
  if (gives_bytes(pass)) {
    outputs_.to_bytes(first, {.floats = numbers.data()},
                      output_bytes_.as<std::int8_t>().subspan(first, length));
  } else {
    outputs_.to_grid(first, numbers, parts_.destination->floats().subspan(first, length));
  }
}

void ProductUnit::end_outputs(Pass& pass) {
  outputs_.end(pass);
  if (gives_bytes(pass)) {
    parts_.destination->set_bytes(output_bytes_.as<std::int8_t>().data(), step_of(outputs_, pass));
  } else {
    parts_.destination->set_floats();
  }
}

void ProductUnit::begin_gradient(const Pass& pass) {
  reserve(scratch_.gradient, parts_.raw->elements() * integer_bytes());
  gradients_.begin(pass);
}

void ProductUnit::take_gradient(std::size_t first, std::span<const float> tile) {
  to_integers(gradients_, scratch_.gradient, first, tile);
}

void ProductUnit::end_gradient(Pass& pass) { gradients_.end(pass); }

void ProductUnit::quantize_gradient(Pass& pass) {
  const Stopwatch watch;
  const Value& from = *parts_.destination_gradient;
  if (takes_tiles()) {
    if (!parts_.is_normalized) {
      begin_gradient(pass);
      from.each_tile([&](std::size_t first, std::size_t length) {
        take_gradient(first, from.read(first, tile(length)));
      });
      end_gradient(pass);
    }
  } else {
    const std::span<float> to = parts_.raw_gradient->floats();
    std::fill(bias_sums_.begin(), bias_sums_.end(), 0.0);
    gradients_.begin(pass);
    from.each_tile([&](std::size_t first, std::size_t length) {
      const std::span<float> part = to.subspan(first, length);
      gradients_.to_grid(first, from.read(first, tile(length)), part);
      add_bias_gradient(part);
    });
    gradients_.end(pass);
    parts_.raw_gradient->set_floats();
    for (std::size_t c = 0; c < bias_sums_.size(); ++c) {
      parts_.bias->gradient[c] = static_cast<float>(bias_sums_[c]);
    }
  }
  pass.quantize_seconds += watch.seconds();
}

void ProductUnit::add_bias_gradient(std::span<const float> tile) {
  if (parts_.bias != nullptr) {
    sum_channels(tile, bias_lanes_);
    fold_lanes(bias_lanes_, bias_sums_);
  }
}

void ProductUnit::backward(Pass& pass) {
  if (is_bytes_) {
    backward_bytes(pass);
  } else {
    backward_floats(pass);
  }
}

void ProductUnit::backward_floats(Pass& pass) {
  const GridArithmetic::Tensor gradient = is_words_ ? in_words(pass, gradients_, scratch_.gradient)
                                                    : on_grid(pass, gradients_, *parts_.raw_gradient);
  const bool exact = grid_->is_exact(gradient);
  count(pass, exact);
  grid_->weight_gradient(gradient, parts_.weight->gradient.data(),
                         parts_.bias == nullptr ? nullptr : parts_.bias->gradient.data(),
                         scratch_.weight_gradient);
  if (parts_.quantized_gradient != nullptr) {
    count(pass, exact);
    parts_.quantized_gradient->make_floats();
    WholeSink dx(parts_.quantized_gradient->floats().data());
    grid_->data_gradient(gradient, dx);
  }
  if (is_words_) {
    input_integers_.reset();
    scratch_.gradient.reset();
  }
}

void ProductUnit::backward_bytes(Pass& pass) {
  const float input_step = step_of(inputs_, pass);
  const float gradient_step = step_of(gradients_, pass);
  const std::int8_t* const outputs = scratch_.gradient.as<std::int8_t>().data();
  count(pass, true);
  weight_gradient_.run(input_integers_.as<std::int8_t>().data(), outputs, input_step * gradient_step,
                       gradient_step, parts_.weight->gradient.data(),
                       parts_.bias == nullptr ? nullptr : parts_.bias->gradient.data(),
                       scratch_.weight_gradient);
  input_integers_.reset();
  if (parts_.quantized_gradient != nullptr) {
    count(pass, true);
    Value& gradient = *parts_.quantized_gradient;
    WholeSink sums(gradient.sums());
    convolution_->data_gradient(outputs, sums, scratch_.sums);
    gradient.set_sums(gradient.sums(), gradient_step * weight_format(pass)->step());
  }
  scratch_.gradient.reset();
}

}  // namespace adapt
