#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "exchange/encoding.hpp"
#include "numerics/format.hpp"

namespace adapt {

/// What an integer encoding makes of a gradient: by tensor the format of its integers, known to all ranks
/// before anything is quantized. Absent: 64-bit fixed point (kExactFractionalLength).
using GradientFormats = std::vector<std::optional<FixedFormat>>;

/// Where an integer encoding takes its formats from.
class FormatSource {
 public:
  virtual ~FormatSource() = default;
  FormatSource() = default;
  FormatSource(const FormatSource&) = delete;
  FormatSource& operator=(const FormatSource&) = delete;

  /// Of the step that begins.
  virtual GradientFormats begin(const ExchangeStep& step) = 0;
  /// Bits to which each shard's integers are rounded before they are summed, block by block (round_to_bits);
  /// absent: they are not.
  [[nodiscard]] virtual std::optional<int> shard_bits() const { return std::nullopt; }
  /// Bits to which the sum over all shards is rounded before it is sent back; absent: it is not.
  [[nodiscard]] virtual std::optional<int> sum_bits() const { return std::nullopt; }

  /// Whether the largest magnitude of each shard's gradients is to be observed.
  [[nodiscard]] virtual bool observes() const { return false; }
  virtual void observe(std::size_t /*tensor*/, float /*magnitude*/) {}
  /// Ends a step (collective); returns the bytes that this rank sent.
  virtual std::int64_t end(const mpi::Communicator& /*ranks*/) { return 0; }

  /// What later formats depend on.
  [[nodiscard]] virtual std::vector<std::byte> save_state() const { return {}; }
  virtual void restore_state(std::span<const std::byte> /*state*/) {}
};

}  // namespace adapt
