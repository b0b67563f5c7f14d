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

constexpr std::size_t kMaskStep = 8;  // a period of masked numbers begins with a byte of the mask

void check_masks(const Numbers& x, const Numbers& y, std::size_t period, const char* function) {
  if (y.mask != nullptr || (x.mask != nullptr && period % kMaskStep != 0)) {
    throw Failure(concat(function, ": a mask with a period of ", period, ", or one too many"));
  }
}

}  // namespace

std::size_t channel_period(std::size_t channels) {
  constexpr std::size_t kStep = 8;        // elements of one random block, and of a byte of a mask
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

void scale_channels(const Numbers& src, std::span<float> dst, std::span<const float> factor,
                    std::span<const float> addend) {
  require_equal(factor.size(), addend.size(), "scale_channels");
  check_masks(src, {}, addend.size(), "scale_channels");
  vector::kernels().scale_channels(src, dst.data(), dst.size(), factor.data(), addend.data(), addend.size());
}

void combine_channels(const Numbers& x, const Numbers& y, std::span<float> dst,
                      std::span<const float> x_factor, std::span<const float> y_factor,
                      std::span<const float> addend) {
  require_equal(x_factor.size(), addend.size(), "combine_channels");
  require_equal(y_factor.size(), addend.size(), "combine_channels");
  check_masks(x, y, addend.size(), "combine_channels");
  vector::kernels().combine_channels(x, y, dst.data(), dst.size(), x_factor.data(), y_factor.data(),
                                     addend.data(), addend.size());
}

void sum_channels(std::span<const float> x, std::span<float> lanes) {
  vector::kernels().sum_channels(x.data(), x.size(), lanes.data(), lanes.size());
}

void sum_products(const Numbers& x, const Numbers& y, std::size_t count, std::span<float> sums,
                  std::span<float> products) {
  require_equal(sums.size(), products.size(), "sum_products");
  check_masks(x, y, sums.size(), "sum_products");
  vector::kernels().sum_products(x, y, count, sums.data(), products.data(), sums.size());
}

void fold_lanes(std::span<float> lanes, std::span<double> sums) {
  vector::kernels().fold_lanes(lanes.data(), lanes.size(), sums.data(), sums.size());
}

void add(std::span<const float> x, std::span<const float> y, std::span<float> dst) {
  require_equal(x.size(), dst.size(), "add");
  require_equal(y.size(), dst.size(), "add");
  vector::kernels().add(x.data(), y.data(), dst.data(), dst.size());
}

void rectify(std::span<float> values, std::span<std::uint8_t> mask) {
  if (!mask.empty()) {
    require_equal(mask.size(), mask_bytes(values.size()), "rectify");
  }
  vector::kernels().rectify(values.data(), values.size(), mask.empty() ? nullptr : mask.data());
}

void apply_mask(std::span<const std::uint8_t> mask, std::span<float> values) {
  require_equal(mask.size(), mask_bytes(values.size()), "apply_mask");
  vector::kernels().apply_mask(mask.data(), values.data(), values.size());
}

}  // namespace adapt
