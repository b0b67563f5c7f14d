#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "mpi/communicator.hpp"
#include "mpi/messages.hpp"
#include "numerics/random.hpp"

namespace adapt {

/// How the sums of a bucket become shorter before they go back to all ranks.
struct SumRounding {
  int bits = 0;
  RandomKey key;  ///< the same on all ranks
};

/// Adds up integers of T over the ranks in two steps, with messages of its own: each rank owns a part of the
/// array, gets the others' sums of that part (packed to the bits that they need, never rounded), adds them
/// up, and sends the whole sums of its part to all. As the owner knows the exact sum, it may round it, once
/// and with random numbers that belong to the elements: the result does not depend on the number of ranks,
/// which may be any. A part is a whole number of blocks (numerics/packing.hpp), so some ranks own none of a
/// short array.
///
/// Both steps send N - 1 messages. Of b-bit numbers, a rank that added k shards sends (N - 1)/N · n · (b +
/// ceil(log2 k)) bits at most, then (N - 1)/N · n times the bits of the whole sums.
template <class T>
class PackedSum {
 public:
  /// `tag` and tag + 1 belong to this object while it is under way, on all ranks.
  PackedSum(std::size_t size, int tag);
  /// An exchange that is under way is given up; its tags are lost.
  ~PackedSum();
  PackedSum(PackedSum&&) noexcept = default;
  PackedSum& operator=(PackedSum&&) noexcept = default;

  /// Starts again with zeros; the sum that was under way before must be finished.
  void clear();
  /// This rank's sums, then all ranks'. Not to be touched in between.
  [[nodiscard]] std::span<T> values() { return std::span(values_).first(size_); }
  [[nodiscard]] std::span<const T> values() const { return std::span(values_).first(size_); }

  /// Starts the exchange (collective: each rank starts it at some time).
  void launch(const mpi::Communicator& ranks, const std::optional<SumRounding>& rounding);
  /// Goes on as far as messages have arrived, without waiting. Does nothing before launch() and at the end.
  void advance();
  /// Waits for the others' sums of this rank's part, and sends on the whole ones. A rank that has several
  /// objects calls this for all of them before finish() for any: the others wait for what it sends here.
  void gather();
  /// Waits for the end.
  void finish();

  /// What this rank has sent since clear().
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  enum class Stage { adding, scattering, gathering, done };
  using Buffer = std::vector<std::byte>;

  [[nodiscard]] std::span<T> part(int rank);
  void combine();
  void take();
  void receive_from_all(mpi::Messages& messages, std::vector<Buffer>& buffers, bool own_part, int tag);
  void send(std::span<const std::byte> bytes, int to, int tag);
  /// Peers whose part, or `own_part` whose sums of this rank's part, hold anything.
  [[nodiscard]] std::vector<int> peers(bool own_part);

  std::size_t size_;
  int tag_;
  AlignedVector<T> values_;  // padded to whole blocks with zeros
  Stage stage_ = Stage::adding;
  const mpi::Communicator* ranks_ = nullptr;  // from launch() on
  std::optional<SumRounding> rounding_;
  std::vector<Buffer> outgoing_;  // by peer
  std::vector<Buffer> incoming_;  // by peer
  std::vector<Buffer> landing_;   // by peer
  Buffer own_;
  mpi::Messages departures_;
  mpi::Messages arrivals_;
  mpi::Messages landings_;
  std::int64_t bytes_ = 0;
};

extern template class PackedSum<std::int32_t>;
extern template class PackedSum<std::int64_t>;

}  // namespace adapt
