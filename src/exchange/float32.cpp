// "float32": MPI_FLOAT sums, the plain rival. Results depend on the number of ranks.

#include <algorithm>
#include <cmath>

#include "exchange/encoding.hpp"
#include "exchange/layout.hpp"

namespace adapt {
namespace {

class Float32Encoding : public GradientEncoding {
 public:
  Float32Encoding(const std::vector<ExchangeTensor>& tensors, int shards)
      : tensors_(tensors), shards_(shards), layout_(tensors), sums_(layout_.total()) {}

  void begin(const ExchangeStep& step) override {
    step_ = step.step;
    std::fill(sums_.begin(), sums_.end(), 0.0F);
  }

  void add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    const std::span sum = layout_.part(std::span(sums_), index);
    float check = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += gradient[i];
      check += sum[i] * 0.0F;  // NaN for NaN, Inf and a sum that overflowed, else 0
    }
    if (std::isnan(check)) {
      refuse_gradient(tensors_[index], step_, shard);
    }
  }

  void reduce(const mpi::Communicator& ranks) override { ranks.sum(std::span(sums_)); }

  void mean(std::size_t index, std::span<float> gradient) const override {
    const std::span sum = layout_.part(std::span(sums_), index);
    std::transform(sum.begin(), sum.end(), gradient.begin(),
                   [this](float value) { return value / static_cast<float>(shards_); });
  }

  [[nodiscard]] std::int64_t bytes() const override {
    return static_cast<std::int64_t>(sums_.size() * sizeof(sums_[0]));
  }

 private:
  std::vector<ExchangeTensor> tensors_;
  int shards_;
  TensorLayout layout_;
  std::uint32_t step_ = 0;
  AlignedVector<float> sums_;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_float32_encoding(const std::vector<ExchangeTensor>& tensors,
                                                        int shards) {
  return std::make_unique<Float32Encoding>(tensors, shards);
}

}  // namespace adapt
