#include "exchange/plan_broadcast.hpp"

#include <array>
#include <span>

#include "base/error.hpp"

namespace adapt {
namespace {

/// A format on the wire; word length 0 stands for float32.
struct WireFormat {
  std::int32_t word_length = 0;
  std::int32_t fractional_length = 0;
};

using WireLayer = std::array<WireFormat, 4>;

WireFormat pack(const std::optional<FixedFormat>& format) {
  return format ? WireFormat{format->word_length, format->fractional_length} : WireFormat{};
}

std::optional<FixedFormat> unpack(const WireFormat& wire) {
  if (wire.word_length == 0) {
    return std::nullopt;
  }
  return FixedFormat{wire.word_length, wire.fractional_length};
}

WireLayer pack(const LayerFormats& layer) {
  return {pack(layer.weights), pack(layer.inputs), pack(layer.outputs), pack(layer.gradients)};
}

LayerFormats unpack(const WireLayer& wire) {
  return {unpack(wire[0]), unpack(wire[1]), unpack(wire[2]), unpack(wire[3])};
}

}  // namespace

void PlanBroadcast::update(PrecisionPlan& plan, const mpi::Communicator& ranks) {
  if (ranks.rank() != 0 && plan.version != known_) {
    throw Failure(concat("this rank runs precision plan ", plan.version, ", but all were told ", known_));
  }
  std::int64_t version = plan.version;
  ranks.broadcast(std::as_writable_bytes(std::span(&version, 1)));
  if (version == known_) {
    return;
  }
  std::vector<WireLayer> wire;
  for (const LayerFormats& layer : plan.layers) {
    wire.push_back(pack(layer));
  }
  ranks.broadcast(std::as_writable_bytes(std::span(wire)));
  for (std::size_t i = 0; i < wire.size(); ++i) {
    plan.layers[i] = unpack(wire[i]);
  }
  plan.version = version;
  known_ = version;
}

}  // namespace adapt
