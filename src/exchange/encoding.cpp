#include "exchange/encoding.hpp"

#include <array>

#include "base/error.hpp"

namespace adapt {
namespace {

struct EncodingEntry {
  const char* name;
  std::unique_ptr<GradientEncoding> (*make)(const std::vector<ExchangeTensor>& tensors, int shards);
};

/// The door for encodings: one file and one line here.
constexpr std::array kEncodings = {
    EncodingEntry{"exact", make_exact_encoding},
    EncodingEntry{"layer", make_layer_encoding},
    EncodingEntry{"float32", make_float32_encoding},
};

}  // namespace

std::unique_ptr<GradientEncoding> make_encoding(const std::string& name,
                                                const std::vector<ExchangeTensor>& tensors, int shards) {
  std::string known;
  for (const EncodingEntry& entry : kEncodings) {
    if (entry.name == name) {
      return entry.make(tensors, shards);
    }
    known += concat(known.empty() ? "" : ", ", entry.name);
  }
  throw BadInput(concat("unknown exchange.encoding '", name, "'; known: auto, ", known));
}

void refuse_gradient(const ExchangeTensor& tensor, std::uint32_t step, std::uint32_t shard) {
  throw Failure(concat("the gradient of '", tensor.name, "' is NaN, infinite or too large at step ", step,
                       ", shard ", shard, "; a smaller training.learning_rate may help"));
}

}  // namespace adapt
