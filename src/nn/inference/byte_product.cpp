#include "nn/inference/byte_product.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/fault.hpp"
#include "nn/onednn.hpp"
#include "nn/quantized/known_answer.hpp"
#include "numerics/random.hpp"

namespace adapt {
namespace {

WindowProduct window_of(const FoldedProduct& product, int images) {
  const auto& [in, out, kernel, stride, padding] = product.geometry;
  return {{images, in.c, in.h, in.w}, {images, out.c, out.h, out.w}, kernel, stride, padding};
}

float number_at(const void* data, NumberType type, std::size_t i) {
  switch (type) {
    case NumberType::signed_byte:
      return static_cast<const std::int8_t*>(data)[i];
    case NumberType::unsigned_byte:
      return static_cast<const std::uint8_t*>(data)[i];
    default:
      return static_cast<const float*>(data)[i];
  }
}

void store(void* data, NumberType type, std::size_t i, float number) {
  switch (type) {
    case NumberType::signed_byte:
      static_cast<std::int8_t*>(data)[i] =
          static_cast<std::int8_t>(std::clamp(std::nearbyint(number), -128.0F, 127.0F));
      break;
    case NumberType::unsigned_byte:
      static_cast<std::uint8_t*>(data)[i] =
          static_cast<std::uint8_t>(std::clamp(std::nearbyint(number), 0.0F, 255.0F));
      break;
    default:
      static_cast<float*>(data)[i] = number;
  }
}

float activated(const FoldedProduct& product, float number) {
  if (product.activation) {
    number = *product.activation == Activation::relu ? std::max(number, 0.0F) : std::tanh(number);
  }
  return product.output_factor * number;
}

/// Bytes of which half are extreme, pixel by pixel all alike or not; floats of about the size of bytes.
void fill(const ValueMemory& value, NumberType type, RandomSequence& random) {
  const auto elements = static_cast<std::size_t>(value.value.shape.elements());
  const auto channels = static_cast<std::size_t>(value.value.shape.c);
  const float least = type == NumberType::unsigned_byte ? 0.0F : -128.0F;
  std::uint32_t kind = 0;
  for (std::size_t i = 0; i < elements; ++i) {
    kind = i % channels == 0 ? random.below(4) : kind;
    const std::uint32_t offset = kind == 0 ? 0 : kind == 1 ? 255 : random.bits() % 256;
    store(value.data.get_data_handle(), type, i, least + static_cast<float>(offset));
  }
}

/// Float32 arithmetic in another order, and another tanh, make some difference, but no more.
bool is_near(const std::vector<float>& found, const std::vector<float>& expected, NumberType type) {
  constexpr float kRelative = 1e-3F;
  float largest = 0;
  for (const float number : expected) {
    largest = std::max(largest, std::abs(number));
  }
  const float tolerance = is_byte(type) ? 1.0F : kRelative * largest;
  return std::equal(found.begin(), found.end(), expected.begin(),
                    [&](float a, float b) { return std::abs(a - b) <= tolerance; });
}

/// Whether the first and the last image come out as they do from our products.
bool is_right(const StepParts& parts, const std::function<void()>& library) {
  RandomSequence random({.seed = 1});
  const ValueMemory& to = parts.destination;
  const NumberType type = to.value.type;
  const bool has_residual = parts.step.residual >= 0;
  fill(parts.sources[0], parts.sources[0].value.type, random);
  fill(to, has_residual ? parts.residual_type : type, random);
  const std::size_t images = static_cast<std::size_t>(to.value.shape.n);
  const std::size_t source_bytes = static_cast<std::size_t>(parts.sources[0].value.shape.elements()) / images;
  const std::size_t numbers = static_cast<std::size_t>(to.value.shape.elements()) / images;
  const std::size_t bytes = numbers * static_cast<std::size_t>(bytes_of(type));
  const auto* const source = static_cast<const std::uint8_t*>(parts.sources[0].data.get_data_handle());
  auto* const destination = static_cast<std::uint8_t*>(to.data.get_data_handle());
  ByteProduct own(parts, 1);
  std::vector<float> expected;
  std::vector<float> found;
  const auto append = [&](std::vector<float>& list, const void* image) {
    for (std::size_t i = 0; i < numbers; ++i) {
      list.push_back(number_at(image, type, i));
    }
  };
  for (const std::size_t image : {std::size_t{0}, images - 1}) {
    AlignedVector<std::uint8_t> copy(destination + image * bytes, destination + (image + 1) * bytes);
    own.run(source + image * source_bytes, copy.data());
    append(expected, copy.data());
  }
  library();
  onednn::stream().wait();
  for (const std::size_t image : {std::size_t{0}, images - 1}) {
    append(found, destination + image * bytes);
  }
  if (fault::falsifies("known_answer")) {
    found.back() += 1e9F;
  }
  return is_near(found, expected, type);
}

}  // namespace

ByteProduct::ByteProduct(const StepParts& parts, int images)
    : product_(parts.step.product),
      has_residual_(parts.step.residual >= 0),
      residual_type_(parts.residual_type),
      type_(parts.destination.value.type),
      lowered_(window_of(product_, images), parts.sources[0].value.type == NumberType::unsigned_byte),
      sums_(static_cast<std::size_t>(window_of(product_, images).destination.elements())) {
  lowered_.set_weights(std::vector<std::int8_t>(product_.weights.begin(), product_.weights.end()));
}

void ByteProduct::run(const void* source, void* destination) {
  lowered_.run(source, sums_.data());
  const std::size_t channels = product_.factors.size();
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const std::size_t c = i % channels;
    float number = product_.factors[c] * static_cast<float>(sums_[i]) + product_.addends[c];
    if (has_residual_) {
      number += product_.residual_factor * number_at(destination, residual_type_, i);
    }
    store(destination, type_, i, activated(product_, number));
  }
}

std::function<void()> checked_product(const StepParts& parts, std::function<void()> library) {
  if (is_right(parts, library)) {
    return library;
  }
  log_wrong_library(window_of(parts.step.product, parts.destination.value.shape.n));
  const auto own = std::make_shared<ByteProduct>(parts, parts.destination.value.shape.n);
  return [own, source = parts.sources[0].data, destination = parts.destination.data] {
    own->run(source.get_data_handle(), destination.get_data_handle());
  };
}

}  // namespace adapt
