// "float32": MPI_FLOAT sums, the plain rival. Results depend on the number of ranks.

#include <algorithm>
#include <cmath>

#include "base/aligned.hpp"
#include "exchange/bucket_layout.hpp"
#include "exchange/encoding.hpp"
#include "mpi/messages.hpp"

namespace adapt {
namespace {

class Float32Encoding : public GradientEncoding {
 public:
  Float32Encoding(const std::vector<ExchangeTensor>& tensors, int shards)
      : tensors_(tensors), shards_(shards) {
    const std::vector<std::size_t> sizes = sizes_of(tensors);
    layout_ = BucketLayout(sizes, std::vector<int>(sizes.size()));
    for (const BucketLayout::Bucket& bucket : layout_.buckets()) {
      sums_.emplace_back(bucket.size);
    }
    unreleased_.resize(sums_.size());
  }

  ~Float32Encoding() override {
    if (!messages_.test()) {
      mpi::keep_forever(std::move(sums_));
    }
  }
  Float32Encoding(const Float32Encoding&) = delete;
  Float32Encoding& operator=(const Float32Encoding&) = delete;

  void begin(const ExchangeStep& step) override {
    step_ = step.step;
    messages_.clear();
    for (std::size_t b = 0; b < sums_.size(); ++b) {
      std::ranges::fill(sums_[b], 0.0F);
      unreleased_[b] = layout_.buckets()[b].tensors.size();
    }
  }

  std::optional<float> add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override {
    const BucketLayout::Place& place = layout_.place(index);
    const std::span sums = std::span(sums_[place.bucket]).subspan(place.offset, gradient.size());
    float check = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += gradient[i];
      check += sums[i] * 0.0F;  // NaN for NaN, Inf and a sum that overflowed, else 0
    }
    if (std::isnan(check)) {
      refuse_gradient(tensors_[index], step_, shard);
    }
    return std::nullopt;
  }

  void release(std::size_t index, const mpi::Communicator& ranks) override {
    const std::size_t bucket = layout_.place(index).bucket;
    if (--unreleased_[bucket] == 0) {
      messages_.sum(ranks, sums_[bucket]);
    }
  }

  void progress() override { messages_.test(); }

  void reduce(const mpi::Communicator& ranks) override {
    for (std::size_t b = 0; b < sums_.size(); ++b) {
      if (unreleased_[b] > 0) {
        messages_.sum(ranks, sums_[b]);
      }
    }
    messages_.wait();
    bytes_ = 0;
    for (const AlignedVector<float>& sums : sums_) {
      bytes_ += mpi::allreduce_bytes(ranks, static_cast<std::int64_t>(sums.size() * sizeof(float)));
    }
    message_count_ = static_cast<std::int64_t>(sums_.size()) * mpi::allreduce_messages(ranks);
  }

  void mean(std::size_t index, std::size_t first, std::span<float> gradient) const override {
    const BucketLayout::Place& place = layout_.place(index);
    const std::span sums = std::span(sums_[place.bucket]).subspan(place.offset + first, gradient.size());
    std::transform(sums.begin(), sums.end(), gradient.begin(),
                   [this](float value) { return value / static_cast<float>(shards_); });
  }

  [[nodiscard]] std::int64_t bytes() const override { return bytes_; }
  [[nodiscard]] std::int64_t messages() const override { return message_count_; }

 private:
  std::vector<ExchangeTensor> tensors_;
  int shards_;
  std::uint32_t step_ = 0;
  BucketLayout layout_;
  std::vector<AlignedVector<float>> sums_;  // by bucket
  std::vector<std::size_t> unreleased_;     // tensors, by bucket
  mpi::Messages messages_;
  std::int64_t bytes_ = 0;
  std::int64_t message_count_ = 0;
};

}  // namespace

std::unique_ptr<GradientEncoding> make_float32_encoding(const std::vector<ExchangeTensor>& tensors,
                                                        int shards, const EncodingOptions& /*options*/) {
  return std::make_unique<Float32Encoding>(tensors, shards);
}

}  // namespace adapt
