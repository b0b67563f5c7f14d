// "exact": gradients as 64-bit fixed point. Integer sums do not depend on their order, so float32 training
// gives the same bits on any number of ranks.

#include <cmath>

#include "exchange/single_sum.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

class ExactEncoding : public SingleSumEncoding<std::int64_t> {
 public:
  using SingleSumEncoding::SingleSumEncoding;

  void add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    if (!add_exact(gradient, sum(index), kExactFractionalLength, shards()).finite) {
      refuse(index, shard);
    }
  }

  void mean(std::size_t index, std::span<float> gradient) const override {
    dequantize(sum(index), gradient, std::ldexp(1.0, -kExactFractionalLength) / shards());
  }
};

}  // namespace

std::unique_ptr<GradientEncoding> make_exact_encoding(const std::vector<ExchangeTensor>& tensors,
                                                      int shards) {
  return std::make_unique<ExactEncoding>(tensors, shards);
}

}  // namespace adapt
