#include "exchange/packed_sum.hpp"

#include <algorithm>

#include "numerics/packing.hpp"

namespace adapt {
namespace {

std::size_t whole_blocks(std::size_t size) { return (size + kPackedBlock - 1) / kPackedBlock * kPackedBlock; }

}  // namespace

template <class T>
PackedSum<T>::PackedSum(std::size_t size, int tag) : size_(size), tag_(tag), values_(whole_blocks(size)) {}

template <class T>
PackedSum<T>::~PackedSum() {
  if (stage_ == Stage::scattering || stage_ == Stage::gathering) {
    for (std::vector<Buffer>* buffers : {&outgoing_, &incoming_, &landing_}) {
      mpi::keep_forever(std::move(*buffers));
    }
    mpi::keep_forever(std::move(own_));
  }
}

template <class T>
void PackedSum<T>::clear() {
  std::ranges::fill(values_, T{0});
  stage_ = Stage::adding;
  bytes_ = 0;
}

template <class T>
std::span<T> PackedSum<T>::part(int rank) {
  const std::size_t blocks = values_.size() / kPackedBlock;
  const auto bound = [&](int r) {
    return blocks * static_cast<std::size_t>(r) / static_cast<std::size_t>(ranks_->size()) * kPackedBlock;
  };
  return std::span(values_).subspan(bound(rank), bound(rank + 1) - bound(rank));
}

template <class T>
std::vector<int> PackedSum<T>::peers(bool own_part) {
  std::vector<int> peers;
  for (int distance = 1; distance < ranks_->size(); ++distance) {  // not all ranks to the same one at once
    const int peer = (ranks_->rank() + distance) % ranks_->size();
    if (!part(own_part ? ranks_->rank() : peer).empty()) {
      peers.push_back(peer);
    }
  }
  return peers;
}

template <class T>
void PackedSum<T>::receive_from_all(mpi::Messages& messages, std::vector<Buffer>& buffers, bool own_part,
                                    int tag) {
  messages.clear();
  for (const int peer : peers(own_part)) {
    Buffer& buffer = buffers[static_cast<std::size_t>(peer)];
    buffer.resize(packed_capacity<T>(part(own_part ? ranks_->rank() : peer).size()));
    messages.receive(*ranks_, buffer, peer, tag);
  }
}

template <class T>
void PackedSum<T>::send(std::span<const std::byte> bytes, int to, int tag) {
  departures_.send(*ranks_, bytes, to, tag);
  bytes_ += static_cast<std::int64_t>(bytes.size());
}

template <class T>
void PackedSum<T>::launch(const mpi::Communicator& ranks, const std::optional<SumRounding>& rounding) {
  ranks_ = &ranks;
  rounding_ = rounding;
  for (std::vector<Buffer>* buffers : {&outgoing_, &incoming_, &landing_}) {
    buffers->resize(static_cast<std::size_t>(ranks_->size()));
  }
  receive_from_all(arrivals_, incoming_, /*own_part=*/true, tag_);
  receive_from_all(landings_, landing_, /*own_part=*/false, tag_ + 1);
  departures_.clear();
  for (const int peer : peers(/*own_part=*/false)) {
    const std::span<T> theirs = part(peer);
    Buffer& buffer = outgoing_[static_cast<std::size_t>(peer)];
    buffer.resize(packed_capacity<T>(theirs.size()));
    send(std::span(buffer).first(pack(std::span<const T>(theirs), buffer)), peer, tag_);
  }
  stage_ = Stage::scattering;
  if (ranks_->size() == 1) {
    advance();
  }
}

template <class T>
void PackedSum<T>::combine() {
  const std::span<T> own = part(ranks_->rank());
  const std::vector<int> sources = peers(/*own_part=*/true);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Buffer& buffer = incoming_[static_cast<std::size_t>(sources[i])];
    unpack_add(std::span(buffer).first(arrivals_.length(i)), own);
  }
  if (rounding_) {
    const auto first = static_cast<std::size_t>(own.data() - values_.data());
    round_to_bits(own, rounding_->bits, rounding_->key, first / kPackedBlock);
  }
  if (!own.empty() && ranks_->size() > 1) {
    own_.resize(packed_capacity<T>(own.size()));
    const std::size_t length = pack(std::span<const T>(own), own_);
    for (const int peer : peers(/*own_part=*/true)) {
      send(std::span(own_).first(length), peer, tag_ + 1);
    }
  }
  stage_ = Stage::gathering;
}

template <class T>
void PackedSum<T>::take() {
  const std::vector<int> sources = peers(/*own_part=*/false);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Buffer& buffer = landing_[static_cast<std::size_t>(sources[i])];
    unpack(std::span(buffer).first(landings_.length(i)), part(sources[i]));
  }
  stage_ = Stage::done;
}

template <class T>
void PackedSum<T>::advance() {
  if (stage_ == Stage::scattering && arrivals_.test()) {
    combine();
  }
  // The buffers of what is being sent must stay as they are until it has gone.
  if (stage_ == Stage::gathering && landings_.test() && departures_.test()) {
    take();
  }
}

template <class T>
void PackedSum<T>::gather() {
  if (stage_ == Stage::scattering) {
    arrivals_.wait();
    combine();
  }
}

template <class T>
void PackedSum<T>::finish() {
  gather();
  if (stage_ == Stage::gathering) {
    landings_.wait();
    departures_.wait();
    take();
  }
}

template class PackedSum<std::int32_t>;
template class PackedSum<std::int64_t>;

}  // namespace adapt
