#include "exchange/error_feedback.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.hpp"
#include "mpi/messages.hpp"

namespace adapt {

ErrorFeedback::ErrorFeedback(std::size_t size, int shards)
    : size_(size), residuals_(static_cast<std::size_t>(shards)) {
  const auto bytes = static_cast<std::int64_t>(size * sizeof(float)) * shards;
  if (bytes > kMostBytes) {
    throw BadInput(concat("exchange.error_feedback keeps a residual of ", size, " numbers for each of ",
                          shards, " shards, ", bytes, " bytes; expected at most ", kMostBytes,
                          ": fewer training.shards x training.accumulate, or false"));
  }
}

std::span<float> ErrorFeedback::residual(std::uint32_t shard, std::size_t first, std::size_t size) {
  AlignedVector<float>& all = residuals_.at(shard);
  all.resize(size_);
  return std::span(all).subspan(first, size);
}

std::span<const float> ErrorFeedback::correct(std::uint32_t shard, std::size_t first,
                                              std::span<const float> gradient) {
  const std::span<const float> rest = residual(shard, first, gradient.size());
  corrected_.resize(gradient.size());
  std::ranges::transform(gradient, rest, corrected_.begin(), std::plus<>());
  return corrected_;
}

void ErrorFeedback::keep(std::uint32_t shard, std::size_t first, std::span<const float> corrected,
                         std::span<const std::int32_t> integers, FixedFormat format) {
  const std::span<float> rest = residual(shard, first, corrected.size());
  const float step = format.step();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    rest[i] = corrected[i] - static_cast<float>(integers[i]) * step;
  }
}

void ErrorFeedback::clear(std::uint32_t shard, std::size_t first, std::size_t size) {
  std::ranges::fill(residual(shard, first, size), 0.0F);
}

void ErrorFeedback::collect(const mpi::Communicator& ranks) {
  mpi::Messages messages;
  for (std::size_t shard = 0; shard < residuals_.size(); ++shard) {
    const int owner = static_cast<int>(shard) % ranks.size();  // as shards are dealt to ranks
    if (owner == 0 || (ranks.rank() != 0 && ranks.rank() != owner)) {
      continue;
    }
    AlignedVector<float>& all = residuals_[shard];
    all.resize(size_);
    if (ranks.rank() == 0) {
      messages.receive(ranks, std::as_writable_bytes(std::span(all)), owner, 0);
    } else {
      messages.send(ranks, std::as_bytes(std::span(all)), 0, 0);
    }
  }
  messages.wait();
}

void ErrorFeedback::save(StateWriter& writer) const {
  for (const AlignedVector<float>& all : residuals_) {
    writer.put_all(std::span<const float>(all));
  }
}

void ErrorFeedback::restore(StateReader& reader, const mpi::Communicator& ranks) {
  for (std::size_t shard = 0; shard < residuals_.size(); ++shard) {
    const std::vector<float> all = reader.get_all<float>(0, size_);
    if (!all.empty() && all.size() != size_) {
      throw BadInput(concat("saved state: a residual of ", all.size(), " numbers, expected ", size_,
                            ": the checkpoint belongs to another model"));
    }
    residuals_[shard].clear();
    if (static_cast<int>(shard) % ranks.size() == ranks.rank()) {
      residuals_[shard].assign(all.begin(), all.end());
    }
  }
}

}  // namespace adapt
