#include "exchange/integer_encoding.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "base/state_bytes.hpp"
#include "numerics/packing.hpp"
#include "numerics/quantize.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

constexpr int kNarrow = 32;
constexpr int kWide = 64;

/// Tags of an encoding's buckets, others for each object: what one gave up must not reach another. All ranks
/// make their objects in the same order. MPI libraries offer at least 2^28 tags.
int first_tag() {
  constexpr int kTags = 4096;
  constexpr int kObjects = 1 << 14;
  static int objects = 0;
  objects = objects % kObjects + 1;  // tags below kTags are others'
  return objects * kTags;
}

}  // namespace

int sum_bits(int word_length, int shards) {
  return word_length + static_cast<int>(std::bit_width(static_cast<unsigned>(shards - 1)));
}

IntegerEncoding::IntegerEncoding(const std::vector<ExchangeTensor>& tensors, int shards,
                                 std::unique_ptr<FormatSource> source, const EncodingOptions& options)
    : tensors_(tensors),
      shards_(shards),
      tag_(first_tag()),
      make_plan_(entry_of(options.algorithm).make),
      source_(std::move(source)) {
  std::size_t size = 0;
  for (const ExchangeTensor& tensor : tensors) {
    firsts_.push_back(size);
    size += tensor.size;
  }
  if (options.error_feedback) {
    feedback_.emplace(size, shards);
  }
}

void IntegerEncoding::lay_out() {
  std::vector<std::size_t> sizes;
  std::vector<int> widths;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    sizes.push_back(tensors_[i].size);
    // Rounding a block may lead one step up from the largest number: a bit more.
    const int more = source_->shard_bits() ? 1 : 0;
    const bool narrow = formats_[i] && sum_bits(formats_[i]->word_length + more, shards_) <= kNarrow;
    widths.push_back(narrow ? kNarrow : kWide);
  }
  if (widths == widths_) {
    return;
  }
  widths_ = widths;
  layout_ = BucketLayout(sizes, widths);
  buckets_.clear();
  for (const BucketLayout::Bucket& bucket : layout_.buckets()) {
    const int tag = tag_ + 2 * static_cast<int>(buckets_.size());
    if (bucket.kind == kNarrow) {
      buckets_.push_back({.sum = PackedSum<std::int32_t>(bucket.size, tag)});
    } else {
      buckets_.push_back({.sum = PackedSum<std::int64_t>(bucket.size, tag)});
    }
    buckets_.back().first_tensor = static_cast<std::uint32_t>(bucket.tensors.front());
  }
}

void IntegerEncoding::begin(const ExchangeStep& step) {
  step_ = step;
  formats_ = source_->begin(step);
  lay_out();
  for (std::size_t b = 0; b < buckets_.size(); ++b) {
    std::visit([](auto& sum) { sum.clear(); }, buckets_[b].sum);
    buckets_[b].unreleased = layout_.buckets()[b].tensors.size();
  }
}

IntegerEncoding::Added IntegerEncoding::add_exactly(std::size_t index, std::uint32_t shard,
                                                    std::span<const float> gradient) {
  if (feedback_) {
    gradient = feedback_->correct(shard, firsts_[index], gradient);
    feedback_->clear(shard, firsts_[index], gradient.size());
  }
  if (source_->observes()) {
    source_->observe(index, maximum_magnitude(gradient));
  }
  const BucketLayout::Place& place = layout_.place(index);
  const std::span sums = std::get<PackedSum<std::int64_t>>(buckets_[place.bucket].sum).values();
  return {add_exact(gradient, sums.subspan(place.offset, gradient.size()), kExactFractionalLength, shards_)
              .finite,
          std::nullopt};
}

RandomKey IntegerEncoding::random_key(Stream stream, std::size_t index, std::uint32_t shard) const {
  return {step_.seed, stream, static_cast<std::uint32_t>(index), step_.step, shard};
}

template <class T>
QuantizeResult IntegerEncoding::add_pieces(std::span<T> sums, std::size_t index, std::uint32_t shard,
                                           std::span<const float> gradient) {
  constexpr std::size_t kPiece = 16 * kPackedBlock;
  constexpr std::size_t kRandomBlock = 8;  // elements
  const FixedFormat format = *formats_[index];
  const RandomKey key = random_key(Stream::gradients, index, shard);
  const RandomKey block_key = random_key(Stream::gradient_blocks, index, shard);
  if (feedback_) {
    gradient = feedback_->correct(shard, firsts_[index], gradient);
  }
  integers_.resize(kPiece);
  QuantizeResult result;
  for (std::size_t first = 0; first < gradient.size(); first += kPiece) {
    const auto piece = gradient.subspan(first, std::min(kPiece, gradient.size() - first));
    const std::span integers = std::span(integers_).first(piece.size());
    const QuantizeResult part = quantize_to_integers(piece, integers, format, Rounding::stochastic, key,
                                                     static_cast<std::uint32_t>(first / kRandomBlock));
    result.finite = result.finite && part.finite;
    result.largest = std::max(result.largest, part.largest);
    if (source_->shard_bits()) {
      const std::size_t blocks = (piece.size() + kPackedBlock - 1) / kPackedBlock;
      const std::span padded = std::span(integers_).first(blocks * kPackedBlock);
      std::ranges::fill(padded.subspan(piece.size()), 0);
      round_to_bits(padded, *source_->shard_bits(), block_key, first / kPackedBlock);
    }
    const auto to = sums.subspan(first, piece.size());
    std::ranges::transform(to, integers, to.begin(), std::plus<T>());
    if (feedback_) {
      feedback_->keep(shard, firsts_[index] + first, piece, integers, format);
    }
  }
  return result;
}

template <class T>
IntegerEncoding::Added IntegerEncoding::add_quantized(std::span<T> sums, std::size_t index,
                                                      std::uint32_t shard, std::span<const float> gradient) {
  const bool at_once = !feedback_ && !source_->shard_bits();
  const QuantizeResult result = at_once ? quantize_add(gradient, sums, *formats_[index], Rounding::stochastic,
                                                       random_key(Stream::gradients, index, shard))
                                        : add_pieces(sums, index, shard, gradient);
  source_->observe(index, result.largest);
  return {result.finite, feedback_ ? std::nullopt : std::optional(result.largest)};
}

std::optional<float> IntegerEncoding::add(std::size_t index, std::uint32_t shard,
                                          std::span<const float> gradient) {
  const BucketLayout::Place& place = layout_.place(index);
  const auto quantized = [&](auto& sum) {
    return add_quantized(sum.values().subspan(place.offset, gradient.size()), index, shard, gradient);
  };
  const Added added = formats_[index] ? std::visit(quantized, buckets_[place.bucket].sum)
                                      : add_exactly(index, shard, gradient);
  if (!added.finite) {
    refuse_gradient(tensors_[index], step_.step, shard);
  }
  return added.largest;
}

void IntegerEncoding::launch(Bucket& bucket, const mpi::Communicator& ranks) {
  std::optional<SumRounding> rounding;
  if (source_->sum_bits() && std::holds_alternative<PackedSum<std::int32_t>>(bucket.sum)) {
    rounding = {*source_->sum_bits(),
                {step_.seed, Stream::mean_gradients, bucket.first_tensor, step_.step, 0}};
  }
  bucket.unreleased = 0;
  std::visit(
      [&](auto& sum) {
        if (!bucket.plan) {
          bucket.plan = make_plan_({ranks.rank(), ranks.nodes(), sum.blocks()});
        }
        sum.launch(ranks, *bucket.plan, rounding);
      },
      bucket.sum);
}

void IntegerEncoding::release(std::size_t index, const mpi::Communicator& ranks) {
  Bucket& bucket = buckets_[layout_.place(index).bucket];
  if (--bucket.unreleased == 0) {
    launch(bucket, ranks);
  }
}

void IntegerEncoding::progress() {
  for (Bucket& bucket : buckets_) {
    std::visit([](auto& sum) { sum.advance(); }, bucket.sum);
  }
}

void IntegerEncoding::reduce(const mpi::Communicator& ranks) {
  for (Bucket& bucket : buckets_) {
    if (bucket.unreleased > 0) {
      launch(bucket, ranks);
    }
  }
  finish();
  source_bytes_ = source_->end(ranks);
  source_messages_ = source_->observes() ? mpi::allreduce_messages(ranks) : 0;
}

void IntegerEncoding::finish() {
  while (true) {
    progress();
    std::vector<mpi::Messages*> pending;
    for (Bucket& bucket : buckets_) {
      if (mpi::Messages* messages = std::visit([](auto& sum) { return sum.pending(); }, bucket.sum)) {
        pending.push_back(messages);
      }
    }
    if (pending.empty()) {
      return;
    }
    mpi::Messages::wait_for_some(pending);
  }
}

void IntegerEncoding::mean(std::size_t index, std::size_t first, std::span<float> gradient) const {
  const BucketLayout::Place& place = layout_.place(index);
  const int fractional_length = formats_[index] ? formats_[index]->fractional_length : kExactFractionalLength;
  const double scale = std::ldexp(1.0, -fractional_length) / shards_;
  std::visit(
      [&](const auto& sum) {
        dequantize(sum.values().subspan(place.offset + first, gradient.size()), gradient, scale);
      },
      buckets_[place.bucket].sum);
}

std::int64_t IntegerEncoding::bytes() const {
  std::int64_t bytes = source_bytes_;
  for (const Bucket& bucket : buckets_) {
    bytes += std::visit([](const auto& sum) { return sum.bytes(); }, bucket.sum);
  }
  return bytes;
}

std::int64_t IntegerEncoding::messages() const {
  std::int64_t messages = source_messages_;
  for (const Bucket& bucket : buckets_) {
    messages += std::visit([](const auto& sum) { return sum.messages(); }, bucket.sum);
  }
  return messages;
}

void IntegerEncoding::collect_state(const mpi::Communicator& ranks) {
  if (feedback_) {
    feedback_->collect(ranks);
  }
}

std::vector<std::byte> IntegerEncoding::save_state() const {
  StateWriter writer;
  writer.put_all(std::span<const std::byte>(source_->save_state()));
  if (feedback_) {
    feedback_->save(writer);
  }
  return writer.take();
}

void IntegerEncoding::restore_state(std::span<const std::byte> state, const mpi::Communicator& ranks) {
  StateReader reader(state);
  source_->restore_state(reader.get_all<std::byte>(0, state.size()));
  if (feedback_) {
    feedback_->restore(reader, ranks);
  }
  reader.finish();
}

}  // namespace adapt
