#include "exchange/packed_sum.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "numerics/packing.hpp"

namespace adapt {
namespace {

std::size_t blocks_of(std::size_t size) { return (size + kPackedBlock - 1) / kPackedBlock; }

/// Most bytes of a message.
template <class T>
std::size_t capacity_of(const Message& message) {
  std::size_t blocks = 0;
  for (const BlockRange& range : message.blocks) {
    blocks += range.count;
  }
  return packed_capacity<T>(blocks * kPackedBlock);
}

}  // namespace

template <class T>
void PackedSum<T>::Buffer::reserve(std::size_t least) {
  if (size < least) {
    bytes = std::make_unique_for_overwrite<std::byte[]>(least);  // NOLINT(modernize-avoid-c-arrays)
    size = least;
  }
}

template <class T>
PackedSum<T>::PackedSum(std::size_t size, int tag)
    : size_(size), tag_(tag), values_(blocks_of(size) * kPackedBlock) {}

template <class T>
PackedSum<T>::~PackedSum() {
  if (plan_ != nullptr) {
    mpi::keep_forever(std::move(incoming_.bytes));
    mpi::keep_forever(std::move(outgoing_.bytes));
  }
}

template <class T>
void PackedSum<T>::clear() {
  std::ranges::fill(values_, T{0});
  bytes_ = 0;
  messages_ = 0;
}

template <class T>
std::size_t PackedSum<T>::blocks() const {
  return blocks_of(size_);
}

template <class T>
const Round& PackedSum<T>::round_of(std::size_t round) const {
  return reduces(round) ? plan_->reduce[round] : plan_->spread[round - plan_->reduce.size()];
}

template <class T>
std::span<T> PackedSum<T>::values_of(BlockRange blocks) {
  return std::span(values_).subspan(blocks.first * kPackedBlock, blocks.count * kPackedBlock);
}

template <class T>
void PackedSum<T>::launch(const mpi::Communicator& ranks, const SumPlan& plan,
                          const std::optional<SumRounding>& rounding) {
  ranks_ = &ranks;
  plan_ = &plan;
  rounding_ = rounding;
  round_ = 0;
  std::size_t least = 0;
  for (std::size_t round = 0; round < rounds(); ++round) {
    for (const Message& message : round_of(round).sends) {
      least += capacity_of<T>(message);
    }
  }
  outgoing_.reserve(least);
  outgoing_used_ = 0;
  departures_.clear();
  receive_all();
  begin_round();
  advance();
}

/// Receives of all rounds, so that no message has to wait for its receiver.
template <class T>
void PackedSum<T>::receive_all() {
  std::size_t least = 0;
  for (std::size_t round = 0; round < rounds(); ++round) {
    for (const Message& message : round_of(round).receives) {
      least += capacity_of<T>(message) * message.peers.size();
    }
  }
  incoming_.reserve(least);
  std::span<std::byte> free(incoming_.bytes.get(), least);
  arrivals_.resize(rounds());
  arrived_.assign(rounds(), {});
  for (std::size_t round = 0; round < rounds(); ++round) {
    arrivals_[round].clear();
    for (const Message& message : round_of(round).receives) {
      const std::size_t capacity = capacity_of<T>(message);
      for (const int peer : message.peers) {
        arrivals_[round].receive(*ranks_, free.first(capacity), peer, reduces(round) ? tag_ : tag_ + 1);
        arrived_[round].push_back(free.data());
        free = free.subspan(capacity);
      }
    }
  }
}

template <class T>
void PackedSum<T>::begin_round() {
  if (round_ == plan_->reduce.size()) {
    round_own();
  }
  if (round_ < rounds()) {
    for (const Message& message : round_of(round_).sends) {
      send(message);
    }
  }
}

template <class T>
void PackedSum<T>::round_own() {
  if (rounding_) {
    round_to_bits(values_of(plan_->own), rounding_->bits, rounding_->key, plan_->own.first);
  }
}

template <class T>
void PackedSum<T>::send(const Message& message) {
  const std::span<std::byte> free(&outgoing_.bytes[outgoing_used_], capacity_of<T>(message));
  std::size_t length = 0;
  for (const BlockRange& blocks : message.blocks) {
    length += pack(std::span<const T>(values_of(blocks)), free.subspan(length));
  }
  for (const int peer : message.peers) {
    departures_.send(*ranks_, free.first(length), peer, reduces(round_) ? tag_ : tag_ + 1);
  }
  outgoing_used_ += length;
  messages_ += static_cast<std::int64_t>(message.peers.size());
  bytes_ += static_cast<std::int64_t>(message.peers.size() * length);
}

template <class T>
void PackedSum<T>::take_round() {
  std::size_t index = 0;
  for (const Message& message : round_of(round_).receives) {
    for (std::size_t peer = 0; peer < message.peers.size(); ++peer, ++index) {
      take({arrived_[round_][index], arrivals_[round_].length(index)}, message);
    }
  }
}

template <class T>
void PackedSum<T>::take(std::span<const std::byte> packed, const Message& message) {
  for (const BlockRange& blocks : message.blocks) {
    const std::span<T> values = values_of(blocks);
    const bool is_last = &blocks == &message.blocks.back();
    const std::size_t length = is_last ? packed.size() : packed_length(packed, values.size());
    if (reduces(round_)) {
      unpack_add(packed.first(length), values);
    } else {
      unpack(packed.first(length), values);
    }
    packed = packed.subspan(length);
  }
}

template <class T>
void PackedSum<T>::advance() {
  if (plan_ == nullptr) {
    return;
  }
  while (round_ < rounds() && arrivals_[round_].test()) {
    take_round();
    ++round_;
    begin_round();
  }
  // The buffers of what is being sent must stay as they are until it has gone.
  if (round_ == rounds() && departures_.test()) {
    plan_ = nullptr;
  }
}

template <class T>
mpi::Messages* PackedSum<T>::pending() {
  if (plan_ == nullptr) {
    return nullptr;
  }
  return round_ < rounds() ? &arrivals_[round_] : &departures_;
}

template <class T>
void PackedSum<T>::finish() {
  while (mpi::Messages* messages = pending()) {
    mpi::Messages::wait_for_some(std::array{messages});
    advance();
  }
}

template class PackedSum<std::int32_t>;
template class PackedSum<std::int64_t>;

}  // namespace adapt
