#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "exchange/sum_plan.hpp"
#include "mpi/communicator.hpp"
#include "mpi/messages.hpp"
#include "numerics/random.hpp"

namespace adapt {

/// How the sums of a bucket become shorter before they go back to all ranks.
struct SumRounding {
  int bits = 0;
  RandomKey key;  ///< the same on all ranks
};

/// Adds up integers of T over the ranks, with messages of its own, by the plan of an algorithm: some rank
/// comes to own the whole sum of a part of the array, from partial sums that are packed to the bits that they
/// need (numerics/packing.hpp) and never rounded, and sends it to all. As the owner knows the exact sum, it
/// may round it, once and with random numbers that belong to the elements: the result depends neither on the
/// number of ranks nor on the algorithm. A part is a whole number of blocks, so some ranks own none of a
/// short array.
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
  /// Of the array, for its plan.
  [[nodiscard]] std::size_t blocks() const;

  /// Starts the exchange (collective: each rank starts it at some time). `plan` is this rank's and stays
  /// where it is until the end.
  void launch(const mpi::Communicator& ranks, const SumPlan& plan,
              const std::optional<SumRounding>& rounding);
  /// Goes on as far as messages have arrived, without waiting. Does nothing before launch() and at the end.
  void advance();
  /// What the exchange waits for after advance(); null before launch() and at the end. Whoever has several
  /// under way waits for some message of any of them: they need not go on in the same order on all ranks.
  [[nodiscard]] mpi::Messages* pending();
  /// Waits for the end.
  void finish();

  /// What this rank has sent since clear().
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t messages() const { return messages_; }

 private:
  /// Memory that is not touched before something is written to it.
  struct Buffer {
    std::unique_ptr<std::byte[]> bytes;  // NOLINT(modernize-avoid-c-arrays)
    std::size_t size = 0;

    void reserve(std::size_t least);
  };

  [[nodiscard]] std::size_t rounds() const { return plan_->reduce.size() + plan_->spread.size(); }
  [[nodiscard]] bool reduces(std::size_t round) const { return round < plan_->reduce.size(); }
  [[nodiscard]] const Round& round_of(std::size_t round) const;
  [[nodiscard]] std::span<T> values_of(BlockRange blocks);
  void receive_all();
  void begin_round();
  void send(const Message& message);
  void take_round();
  void take(std::span<const std::byte> packed, const Message& message);
  void round_own();

  std::size_t size_;
  int tag_;
  AlignedVector<T> values_;  // padded to whole blocks with zeros
  const mpi::Communicator* ranks_ = nullptr;
  const SumPlan* plan_ = nullptr;  // while it is under way
  std::optional<SumRounding> rounding_;
  std::size_t round_ = 0;                               // whose messages are waited for
  std::vector<mpi::Messages> arrivals_;                 // by round
  std::vector<std::vector<const std::byte*>> arrived_;  // by round and message
  mpi::Messages departures_;
  Buffer incoming_;
  Buffer outgoing_;
  std::size_t outgoing_used_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t messages_ = 0;
};

extern template class PackedSum<std::int32_t>;
extern template class PackedSum<std::int64_t>;

}  // namespace adapt
