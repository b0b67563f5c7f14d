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

constexpr auto kFormats = kTensors<std::optional<FixedFormat>>;
using WireLayer = std::array<WireFormat, kFormats.size()>;

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
  WireLayer wire;
  for (std::size_t t = 0; t < wire.size(); ++t) {
    wire[t] = pack(layer.*kFormats[t]);
  }
  return wire;
}

LayerFormats unpack(const WireLayer& wire) {
  LayerFormats layer;
  for (std::size_t t = 0; t < wire.size(); ++t) {
    layer.*kFormats[t] = unpack(wire[t]);
  }
  return layer;
}

}  // namespace

void PlanBroadcast::update(PrecisionPlan& plan, const mpi::Communicator& ranks) {
  if (ranks.rank() != 0 && plan.version != known_) {
    throw Failure(concat("this rank runs precision plan ", plan.version, ", but all were told ", known_));
  }
  // The version, and what else is no format.
  std::array<std::int64_t, 2> head = {plan.version, plan.final_phase};
  ranks.broadcast(std::as_writable_bytes(std::span(head)));
  if (head[0] == known_) {
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
  plan.version = head[0];
  plan.final_phase = head[1];
  known_ = plan.version;
}

}  // namespace adapt
