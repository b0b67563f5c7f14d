#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "exchange/bucket_layout.hpp"
#include "exchange/encoding.hpp"
#include "exchange/error_feedback.hpp"
#include "exchange/gradient_formats.hpp"
#include "exchange/packed_sum.hpp"
#include "numerics/quantize.hpp"
#include "numerics/random.hpp"

namespace adapt {

/// Bits that a sum of `shards` numbers of `word_length` bits needs, and each sum over some of them, in any
/// order: -2^(WL-1) <= q < 2^(WL-1), so with k <= shards of them |sum| <= k · 2^(WL-1) <= 2^(WL-1 +
/// ceil(log2 shards)), reached at the negative end only where all of a power of two of shards have the lowest
/// number, which two's complement still holds. Of 24 bits and 4,096 shards: 36, so such sums take 64 bits.
[[nodiscard]] int sum_bits(int word_length, int shards);

/// Gradients as integers, whose sums do not depend on the order of shards and ranks. The sums of a tensor
/// take 32 bits where sum_bits fits them, else 64; on the wire they take what they need (packed_sum.hpp).
class IntegerEncoding : public GradientEncoding {
 public:
  IntegerEncoding(const std::vector<ExchangeTensor>& tensors, int shards,
                  std::unique_ptr<FormatSource> source, const EncodingOptions& options);

  void begin(const ExchangeStep& step) override;
  std::optional<float> add(std::size_t index, std::uint32_t shard, std::span<const float> gradient) override;
  void release(std::size_t index, const mpi::Communicator& ranks) override;
  void progress() override;
  void reduce(const mpi::Communicator& ranks) override;
  void mean(std::size_t index, std::size_t first, std::span<float> gradient) const override;
  [[nodiscard]] std::int64_t bytes() const override;
  [[nodiscard]] std::int64_t messages() const override;

  [[nodiscard]] bool has_state() const override { return source_->observes(); }
  void collect_state(const mpi::Communicator& ranks) override;
  [[nodiscard]] std::vector<std::byte> save_state() const override;
  void restore_state(std::span<const std::byte> state, const mpi::Communicator& ranks) override;

 private:
  struct Bucket {
    std::variant<PackedSum<std::int32_t>, PackedSum<std::int64_t>> sum;
    std::size_t unreleased = 0;  // tensors
    std::uint32_t first_tensor = 0;
    std::optional<SumPlan> plan = {};  // from the first launch on
  };

  void lay_out();
  void launch(Bucket& bucket, const mpi::Communicator& ranks);
  /// Waits for all buckets, which go on as their messages come.
  void finish();
  struct Added {
    bool finite = true;
    std::optional<float> largest;  // magnitude of the gradient, where known
  };

  [[nodiscard]] RandomKey random_key(Stream stream, std::size_t index, std::uint32_t shard) const;
  template <class T>
  Added add_quantized(std::span<T> sums, std::size_t index, std::uint32_t shard,
                      std::span<const float> gradient);
  /// As add_quantized, where the integers are rounded once more or looked at: piece by piece.
  template <class T>
  QuantizeResult add_pieces(std::span<T> sums, std::size_t index, std::uint32_t shard,
                            std::span<const float> gradient);
  Added add_exactly(std::size_t index, std::uint32_t shard, std::span<const float> gradient);

  std::vector<ExchangeTensor> tensors_;
  std::vector<std::size_t> firsts_;  // element at which each tensor begins, all tensors in a row
  int shards_;
  int tag_;  // the first one
  MakeSumPlan* make_plan_;
  std::unique_ptr<FormatSource> source_;
  std::optional<ErrorFeedback> feedback_;
  std::vector<std::int32_t> integers_;  // a piece of a gradient
  ExchangeStep step_;
  GradientFormats formats_;  // of this step
  std::vector<int> widths_;  // of the sums, bits by tensor; what the layout was made for
  BucketLayout layout_;
  std::vector<Bucket> buckets_;
  std::int64_t source_bytes_ = 0;
  std::int64_t source_messages_ = 0;
};

}  // namespace adapt
