#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "exchange/algorithm.hpp"
#include "exchange/registry.hpp"
#include "mpi/communicator.hpp"
#include "numerics/plan.hpp"
#include "numerics/random.hpp"

namespace adapt {

/// A gradient that cannot be summed: NaN, infinite or too large.
class BadGradient : public Failure {
 public:
  explicit BadGradient(const std::string& message) : Failure(message, Cause::numbers) {}
};

/// One parameter tensor as the exchange knows it.
struct ExchangeTensor {
  std::string name;
  std::size_t size = 0;
  int layer = -1;          ///< index into the plan, -1: none
  bool is_weight = false;  ///< the layer's weight tensor; others have no format under per_tensor plans
};

/// What a step's gradients are encoded for.
struct ExchangeStep {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  const PrecisionPlan* plan = nullptr;
};

/// What does not follow from an encoding's name.
struct EncodingOptions {
  bool error_feedback = false;              ///< shards keep what rounding took from their gradients
  Algorithm algorithm = Algorithm::direct;  ///< of sums of integers; no bit depends on it
};

/// How gradients cross shards and ranks: each shard's gradient is added to this rank's sum, the sums of all
/// ranks are added, and the mean over all shards comes out. A door: one file, and a word in each list of
/// registry.hpp.
class GradientEncoding {
 public:
  virtual ~GradientEncoding() = default;
  GradientEncoding() = default;
  GradientEncoding(const GradientEncoding&) = delete;
  GradientEncoding& operator=(const GradientEncoding&) = delete;

  /// Starts a step with empty sums.
  virtual void begin(const ExchangeStep& step) = 0;
  /// Adds the gradient of `shard` for tensor `index`. Returns its largest magnitude where that was found on
  /// the way, so that nobody need look again. Throws Failure for NaN, Inf or overflow, naming tensor, step
  /// and shard.
  virtual std::optional<float> add(std::size_t index, std::uint32_t shard,
                                   std::span<const float> gradient) = 0;
  /// This rank adds no more to tensor `index` in this step, so its exchange may start, at once or together
  /// with that of others. To be called once for a tensor, or not at all.
  virtual void release(std::size_t index, const mpi::Communicator& ranks) = 0;
  /// Lets what was started go on, without waiting.
  virtual void progress() = 0;
  /// Adds up the sums of all ranks, released or not (collective).
  virtual void reduce(const mpi::Communicator& ranks) = 0;
  /// The mean over all shards, of the elements of tensor `index` from `first` on.
  virtual void mean(std::size_t index, std::size_t first, std::span<float> gradient) const = 0;
  /// Bytes that this rank has sent to others in the step that was reduced last.
  [[nodiscard]] virtual std::int64_t bytes() const = 0;
  /// As many messages.
  [[nodiscard]] virtual std::int64_t messages() const = 0;

  /// Whether later steps depend on earlier ones, so that a checkpoint has to keep save_state().
  [[nodiscard]] virtual bool has_state() const { return false; }
  /// Brings to rank 0 what save_state() needs (collective).
  virtual void collect_state(const mpi::Communicator& /*ranks*/) {}
  /// On rank 0: the state of all ranks (this machine's representation).
  [[nodiscard]] virtual std::vector<std::byte> save_state() const { return {}; }
  /// Puts back what save_state() of an encoding of the same tensors gave, on each of any number of ranks.
  /// Throws BadInput if the bytes do not fit.
  virtual void restore_state(std::span<const std::byte> /*state*/, const mpi::Communicator& /*ranks*/) {}
};

/// "int8 or int16": the encodings that have error feedback.
[[nodiscard]] std::string names_with_feedback();

/// Makes an encoding for tensors cut into `shards` shards, whose sums are all over the same ranks. Throws
/// BadInput for error feedback with an encoding that has none, or beyond its limit (error_feedback.hpp).
std::unique_ptr<GradientEncoding> make_encoding(Encoding encoding, const std::vector<ExchangeTensor>& tensors,
                                                int shards, const EncodingOptions& options = {});

/// Of gradients in 64-bit fixed point. 2^-40 is far below what a float32 gradient resolves; what is left,
/// 2^62 / 2^40 over all shards, is far above any gradient of a training that has not diverged. add_exact
/// refuses what would overflow: |sum| <= shards · 2^62 / shards < 2^63.
constexpr int kExactFractionalLength = 40;

/// Elements by tensor.
[[nodiscard]] std::vector<std::size_t> sizes_of(const std::vector<ExchangeTensor>& tensors);

/// Throws the Failure that add() promises.
/// Throws BadGradient.
[[noreturn]] void refuse_gradient(const ExchangeTensor& tensor, std::uint32_t step, std::uint32_t shard);

}  // namespace adapt
