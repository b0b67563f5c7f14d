#include "data/normalize.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/phase.hpp"

namespace adapt {
namespace {

constexpr std::size_t kLevels = 256;

template <std::size_t kChannels>
void look_up(const float* table, std::span<const std::uint8_t> bytes, float* values) {
  for (std::size_t i = 0; i < bytes.size(); i += kChannels) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      values[i + channel] = table[channel * kLevels + bytes[i + channel]];
    }
  }
}

constexpr std::int64_t kMostMeasured = 10'000;
constexpr double kWhite = 255;

}  // namespace

Normalization measured_normalization(const Dataset& images) {
  const auto channels = static_cast<std::size_t>(images.shape().channels);
  const std::int64_t count = std::min(images.size(), kMostMeasured);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(images.shape().elements()));
  std::vector<std::uint64_t> sums(channels);
  std::vector<std::uint64_t> squares(channels);  // images have 2^24 pixels at most
  for (std::int64_t i = 0; i < count; ++i) {
    images.read(i * images.size() / count, pixels);
    for (std::size_t place = 0; place < pixels.size(); ++place) {
      const std::uint64_t value = pixels[place];
      sums[place % channels] += value;
      squares[place % channels] += value * value;
    }
    phase::go_on();
  }
  const double number = static_cast<double>(count) * static_cast<double>(pixels.size() / channels);
  Normalization normalization;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = static_cast<double>(sums[channel]) / number;
    const double variance = static_cast<double>(squares[channel]) / number - mean * mean;
    normalization.mean[channel] = static_cast<float>(mean / kWhite);
    normalization.deviation[channel] = variance > 0 ? static_cast<float>(std::sqrt(variance) / kWhite) : 1;
  }
  return normalization;
}

NormalizationTable::NormalizationTable(const Normalization& normalization, int channels)
    : channels_(static_cast<std::size_t>(channels)) {
  if (channels < 1 || channels > static_cast<int>(normalization.mean.size())) {
    throw Failure(concat("cannot normalize images of ", channels, " channels: expected 1..",
                         normalization.mean.size()));
  }
  table_.resize(channels_ * kLevels);
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const double mean = normalization.mean[channel];
    const double deviation = normalization.deviation[channel];
    for (std::size_t level = 0; level < kLevels; ++level) {
      table_[channel * kLevels + level] =
          static_cast<float>((static_cast<double>(level) / 255.0 - mean) / deviation);
    }
  }
}

void NormalizationTable::apply(std::span<const std::uint8_t> bytes, std::span<float> values) const {
  if (bytes.size() != values.size() || bytes.size() % channels_ != 0) {
    throw Failure(concat("cannot normalize ", bytes.size(), " bytes of ", channels_, " channels into ",
                         values.size(), " numbers"));
  }
  switch (channels_) {
    case 1:
      return look_up<1>(table_.data(), bytes, values.data());
    case 2:
      return look_up<2>(table_.data(), bytes, values.data());
    default:
      return look_up<3>(table_.data(), bytes, values.data());
  }
}

}  // namespace adapt
