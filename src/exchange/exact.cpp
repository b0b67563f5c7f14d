// "exact": gradients as 64-bit fixed point. Integer sums do not depend on their order, so float32 training
// gives the same bits on any number of ranks.

#include <algorithm>

#include "exchange/encoding.hpp"
#include "exchange/layout.hpp"
#include "numerics/quantize.hpp"

namespace adapt {
namespace {

/// 2^-40 is far below what a float32 gradient resolves; what is left, 2^62 / 2^40 over all shards, is far
/// above any gradient of a training that has not diverged. add_exact refuses what would overflow: |sum| <=
/// shards · 2^62 / shards < 2^63.
constexpr int kFractionalLength = 40;

class ExactEncoding : public GradientEncoding {
 public:
  ExactEncoding(const std::vector<ExchangeTensor>& tensors, int shards)
      : tensors_(tensors), shards_(shards), layout_(tensors), sums_(layout_.total()) {}

  void begin(const ExchangeStep& step) override {
    step_ = step.step;
    std::fill(sums_.begin(), sums_.end(), 0);
  }

  void add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    if (!add_exact(gradient, layout_.part(std::span(sums_), index), kFractionalLength, shards_).finite) {
      refuse_gradient(tensors_[index], step_, shard);
    }
  }

  void reduce(const mpi::Communicator& ranks) override { ranks.sum(std::span(sums_)); }

  void mean(std::size_t index, std::span<float> gradient) const override {
    dequantize(layout_.part(std::span(sums_), index), gradient, 0x1p-40 / shards_);
  }

  [[nodiscard]] std::int64_t bytes() const override {
    return static_cast<std::int64_t>(sums_.size() * sizeof(sums_[0]));
  }

 private:
  std::vector<ExchangeTensor> tensors_;
  int shards_;
  TensorLayout layout_;
  std::uint32_t step_ = 0;
  AlignedVector<std::int64_t> sums_;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_exact_encoding(const std::vector<ExchangeTensor>& tensors,
                                                      int shards) {
  return std::make_unique<ExactEncoding>(tensors, shards);
}

}  // namespace adapt
