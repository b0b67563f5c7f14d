#include "nn/inference/own_product.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/threads.hpp"
#include "nn/kernels/bfloat16.hpp"
#include "numerics/channels.hpp"
#include "numerics/dispatch.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

/// To an integer from low to high; NaN is the greatest.
float rounded(float number, float low, float high) {
  const float below = number < high ? number : high;
  return std::nearbyint(below > low ? below : low);
}

float activated(const FoldedProduct& product, float number) {
  if (product.activation == Activation::tanh) {
    vector::kernels().tanh(&number, &number, 1);
  } else if (product.activation == Activation::relu) {
    number = number > 0.0F ? number : 0.0F;
  }
  return product.output_factor * number;
}

/// Nothing where our own products do not store the type in one go.
std::optional<Storage> storage_of(NumberType type) {
  switch (type) {
    case NumberType::signed_byte:
      return Storage::signed_byte;
    case NumberType::unsigned_byte:
      return Storage::unsigned_byte;
    case NumberType::float32:
      return Storage::float32;
    case NumberType::bfloat16:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<float> whole_period(const std::vector<float>& by_channel, std::size_t channels) {
  std::vector<float> period(channel_period(channels), 1.0F);
  for (std::size_t i = 0; i < period.size() && !by_channel.empty(); ++i) {
    period[i] = by_channel[i % channels];
  }
  return period;
}

}  // namespace

WindowProduct window_of(const FoldedProduct& product, int images) {
  WindowProduct window = forward_product(product.geometry);
  window.source.n = images;
  window.destination.n = images;
  return window;
}

float number_at(const void* data, NumberType type, std::size_t i) {
  switch (type) {
    case NumberType::signed_byte:
      return static_cast<const std::int8_t*>(data)[i];
    case NumberType::unsigned_byte:
      return static_cast<const std::uint8_t*>(data)[i];
    case NumberType::bfloat16:
      return from_bfloat16(static_cast<const std::uint16_t*>(data)[i]);
    case NumberType::float32:
      return static_cast<const float*>(data)[i];
  }
  return 0;
}

void store(void* data, NumberType type, std::size_t i, float number) {
  switch (type) {
    case NumberType::signed_byte:
      static_cast<std::int8_t*>(data)[i] = static_cast<std::int8_t>(rounded(number, -128.0F, 127.0F));
      break;
    case NumberType::unsigned_byte:
      static_cast<std::uint8_t*>(data)[i] = static_cast<std::uint8_t>(rounded(number, 0.0F, 255.0F));
      break;
    case NumberType::bfloat16:
      static_cast<std::uint16_t*>(data)[i] = to_bfloat16(number);
      break;
    case NumberType::float32:
      static_cast<float*>(data)[i] = number;
  }
}

OwnProduct::OwnProduct(const StepParts& parts, int images)
    : product_(parts.step.product),
      window_(window_of(product_, images)),
      has_residual_(parts.step.residual >= 0),
      source_type_(parts.sources[0].value.type),
      residual_type_(parts.residual_type),
      type_(parts.destination.value.type) {
  const std::size_t channels = product_.addends.size();
  factors_ = whole_period(product_.factors, channels);
  addends_ = whole_period(product_.addends, channels);
  if (product_.integer) {
    make_parts();
  } else {
    sums_.resize(static_cast<std::size_t>(window_.destination.elements()));
  }
  if (source_type_ == NumberType::bfloat16) {
    for (float& weight : product_.weights) {
      weight = from_bfloat16(to_bfloat16(weight));
    }
  }
}

void OwnProduct::make_parts() {
  const std::vector<std::int8_t> weights(product_.weights.begin(), product_.weights.end());
  const int images = window_.source.n;
  const int count = std::clamp(openmp_threads(), 1, images);
  for (int part = 0; part < count; ++part) {
    const int first = images * part / count;
    WindowProduct window = window_;
    window.source.n = images * (part + 1) / count - first;
    window.destination.n = window.source.n;
    parts_.push_back({first, make_byte_product(window, source_type_ == NumberType::unsigned_byte), {}, {}});
    parts_.back().bytes->set_weights(weights);
  }
}

void OwnProduct::sum_floats(const void* source) {
  const Shape& in = window_.source;
  const Shape& out = window_.destination;
  float* to = sums_.data();
  for (int place = 0; place < out.n * out.h * out.w; ++place) {
    const int image = place / (out.h * out.w) * in.h * in.w;
    for (int o = 0; o < out.c; ++o, ++to) {
      *to = 0;
      const float* weight = product_.weights.data() + o * static_cast<std::ptrdiff_t>(window_.terms());
      const int first = o / window_.group_outputs() * window_.group_inputs();
      for (int i = first; i < first + window_.group_inputs(); ++i) {
        for (int tap = 0; tap < window_.kernel * window_.kernel; ++tap, ++weight) {
          const int y = window_.source_of(place / out.w % out.h, tap / window_.kernel, in.h);
          const int x = window_.source_of(place % out.w, tap % window_.kernel, in.w);
          if (y >= 0 && x >= 0) {
            const std::int64_t pixel = image + y * in.w + x;
            *to += *weight * number_at(source, source_type_, static_cast<std::size_t>(pixel * in.c + i));
          }
        }
      }
    }
  }
}

template <class Sum>
void OwnProduct::finish_each(std::size_t first, std::span<const Sum> sums, void* destination) const {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t c = i % factors_.size();
    float number = factors_[c] * (static_cast<float>(sums[i]) + addends_[c]);
    if (product_.operand_step) {
      number = *product_.operand_step * rounded(number / *product_.operand_step, -128.0F, 127.0F);
    }
    if (has_residual_) {
      number += product_.residual_factor * number_at(destination, residual_type_, first + i);
    }
    store(destination, type_, first + i, activated(product_, number));
  }
}

void OwnProduct::finish(Part& part, std::size_t first, std::span<const std::int32_t> sums,
                        void* destination) const {
  const auto type = storage_of(type_);
  const auto residual = has_residual_ ? storage_of(residual_type_) : Storage::none;
  const bool is_tanh = product_.activation == Activation::tanh;
  if (!type || !residual || (is_tanh && type == Storage::unsigned_byte)) {
    return finish_each(first, sums, destination);
  }
  auto* const bytes = static_cast<std::uint8_t*>(destination);
  const void* const added = bytes + first * static_cast<std::size_t>(bytes_of(residual_type_));
  void* const to = bytes + first * static_cast<std::size_t>(bytes_of(type_));
  SumEpilogue epilogue = {factors_.data(),
                          addends_.data(),
                          factors_.size(),
                          product_.activation == Activation::relu,
                          product_.operand_step.value_or(0.0F),
                          product_.residual_factor,
                          product_.output_factor};
  if (!is_tanh) {
    return finish_sums(sums, epilogue, *residual, added, *type, to);
  }
  epilogue.output_factor = 1;
  part.numbers.resize(sums.size());
  float* const numbers = part.numbers.data();
  finish_sums(sums, epilogue, *residual, added, Storage::float32, numbers);
  vector::kernels().tanh(numbers, numbers, sums.size());
  if (type == Storage::float32) {
    std::copy_n(numbers, sums.size(), static_cast<float*>(to));
  } else {
    quantize_to_bytes({numbers, sums.size()}, {static_cast<std::int8_t*>(to), sums.size()},
                      {8, std::ilogb(product_.output_factor)}, Rounding::nearest, {});
  }
}

void OwnProduct::run_part(Part& part, const void* source, void* destination) const {
  const auto bytes_before = [&](const Shape& shape, NumberType type) {
    return static_cast<std::size_t>(shape.elements() / shape.n * part.first_image * bytes_of(type));
  };
  void* const to = static_cast<std::uint8_t*>(destination) + bytes_before(window_.destination, type_);
  PassingSink pieces(part.piece, [&](std::size_t first, std::span<const std::int32_t> sums) {
    finish(part, first, sums, to);
  });
  part.bytes->run(static_cast<const std::uint8_t*>(source) + bytes_before(window_.source, source_type_),
                  pieces);
}

void OwnProduct::run(const void* source, void* destination) {
  if (parts_.empty()) {
    sum_floats(source);
    return finish_each(0, std::span<const float>(sums_), destination);
  }
#pragma omp parallel for schedule(static) if (parts_.size() > 1)
  for (Part& part : parts_) {
    run_part(part, source, destination);
  }
}

std::function<void()> own_product(const StepParts& parts) {
  const auto own = std::make_shared<OwnProduct>(parts, parts.destination.value.shape.n);
  return [own, source = parts.sources[0].data, destination = parts.destination.data] {
    own->run(source.get_data_handle(), destination.get_data_handle());
  };
}

}  // namespace adapt
