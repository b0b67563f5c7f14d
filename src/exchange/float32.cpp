// "float32": MPI_FLOAT sums, the plain rival. Results depend on the number of ranks.

#include <algorithm>
#include <cmath>

#include "exchange/single_sum.hpp"

namespace adapt {
namespace {

class Float32Encoding : public SingleSumEncoding<float> {
 public:
  using SingleSumEncoding::SingleSumEncoding;

  void add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    const std::span sums = sum(index);
    float check = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += gradient[i];
      check += sums[i] * 0.0F;  // NaN for NaN, Inf and a sum that overflowed, else 0
    }
    if (std::isnan(check)) {
      refuse(index, shard);
    }
  }

  void mean(std::size_t index, std::span<float> gradient) const override {
    const std::span sums = sum(index);
    std::transform(sums.begin(), sums.end(), gradient.begin(),
                   [this](float value) { return value / static_cast<float>(shards()); });
  }
};

}  // namespace

std::unique_ptr<GradientEncoding> make_float32_encoding(const std::vector<ExchangeTensor>& tensors,
                                                        int shards) {
  return std::make_unique<Float32Encoding>(tensors, shards);
}

}  // namespace adapt
