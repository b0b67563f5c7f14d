#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "base/state_bytes.hpp"
#include "mpi/communicator.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// What rounding took from the gradients of each virtual shard, to be added to its next ones (Seide et al.,
/// Interspeech 2014; Karimireddy et al., ICML 2019). Kept by shard and not by rank, so that the bits are the
/// same on any number of ranks; a rank holds those of its own shards.
class ErrorFeedback {
 public:
  /// A checkpoint holds the residuals of all shards and reaches the ranks as one message.
  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 30U;

  /// For gradients of `size` elements, all tensors together. Throws BadInput beyond kMostBytes.
  ErrorFeedback(std::size_t size, int shards);

  /// The gradient (a tensor that begins at element `first`) plus the residual of `shard`; valid until the
  /// next call.
  std::span<const float> correct(std::uint32_t shard, std::size_t first, std::span<const float> gradient);
  /// The residual is now corrected - integers · 2^-FL.
  void keep(std::uint32_t shard, std::size_t first, std::span<const float> corrected,
            std::span<const std::int32_t> integers, FixedFormat format);
  /// There is no residual: all of the tensor has been sent.
  void clear(std::uint32_t shard, std::size_t first, std::size_t size);

  /// Brings all shards' residuals to rank 0 (collective).
  void collect(const mpi::Communicator& ranks);
  void save(StateWriter& writer) const;
  /// Keeps those of this rank's shards.
  void restore(StateReader& reader, const mpi::Communicator& ranks);

 private:
  std::span<float> residual(std::uint32_t shard, std::size_t first, std::size_t size);

  std::size_t size_;
  std::vector<AlignedVector<float>> residuals_;  // by shard; empty: none on this rank
  AlignedVector<float> corrected_;
};

}  // namespace adapt
