#include "numerics/channels.hpp"

#include "base/error.hpp"
#include "numerics/dispatch.hpp"

namespace adapt {
namespace {

void require_equal(std::size_t length, std::size_t other, const char* function) {
  if (length != other) {
    throw Failure(concat(function, ": spans of ", length, " and ", other, " elements"));
  }
}

}  // namespace

std::size_t channel_period(std::size_t channels) {
  constexpr std::size_t kStep = 8;        // elements of one random block
  constexpr std::size_t kShortest = 256;  // whole registers, and few trips to memory for a sum's lanes
  const std::size_t unit = kStep * channels;
  return (kShortest + unit - 1) / unit * unit;
}

void from_bytes(std::span<const std::int8_t> src, std::span<float> dst, float step) {
  require_equal(src.size(), dst.size(), "from_bytes");
  vector::kernels().from_bytes(src.data(), dst.data(), src.size(), step);
}

void from_sums(std::span<const std::int32_t> src, std::span<float> dst, float step) {
  require_equal(src.size(), dst.size(), "from_sums");
  vector::kernels().from_sums(src.data(), dst.data(), src.size(), step);
}

void add_channels(std::span<float> values, std::span<const float> addend) {
  vector::kernels().add_channels(values.data(), values.size(), addend.data(), addend.size());
}

void scale_channels(std::span<const float> src, std::span<float> dst, std::span<const float> factor,
                    std::span<const float> addend) {
  require_equal(src.size(), dst.size(), "scale_channels");
  require_equal(factor.size(), addend.size(), "scale_channels");
  vector::kernels().scale_channels(src.data(), dst.data(), src.size(), factor.data(), addend.data(),
                                   addend.size());
}

void combine_channels(std::span<const float> x, std::span<const float> y, std::span<float> dst,
                      std::span<const float> x_factor, std::span<const float> y_factor,
                      std::span<const float> addend) {
  require_equal(x.size(), dst.size(), "combine_channels");
  require_equal(y.size(), dst.size(), "combine_channels");
  require_equal(x_factor.size(), addend.size(), "combine_channels");
  require_equal(y_factor.size(), addend.size(), "combine_channels");
  vector::kernels().combine_channels(x.data(), y.data(), dst.data(), x.size(), x_factor.data(),
                                     y_factor.data(), addend.data(), addend.size());
}

void sum_channels(std::span<const float> x, std::span<float> lanes) {
  vector::kernels().sum_channels(x.data(), x.size(), lanes.data(), lanes.size());
}

void sum_products(std::span<const float> x, std::span<const float> y, std::span<float> lanes) {
  require_equal(x.size(), y.size(), "sum_products");
  vector::kernels().sum_products(x.data(), y.data(), x.size(), lanes.data(), lanes.size());
}

void add(std::span<const float> src, std::span<float> dst) {
  require_equal(src.size(), dst.size(), "add");
  vector::kernels().add(src.data(), dst.data(), src.size());
}

void clear_negative(std::span<float> values, std::span<std::uint8_t> mask) {
  if (!mask.empty()) {
    require_equal(mask.size(), mask_bytes(values.size()), "clear_negative");
    vector::kernels().positive_mask(values.data(), values.size(), mask.data());
  }
  vector::kernels().clear_negative(values.data(), values.size());
}

void apply_mask(std::span<const std::uint8_t> mask, std::span<float> values) {
  require_equal(mask.size(), mask_bytes(values.size()), "apply_mask");
  vector::kernels().apply_mask(mask.data(), values.data(), values.size());
}

}  // namespace adapt
