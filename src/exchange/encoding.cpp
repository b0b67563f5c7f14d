#include "exchange/encoding.hpp"

#include <array>

#include "base/error.hpp"

namespace adapt {
namespace {

using Tensors = std::vector<ExchangeTensor>;
using MadeEncoding = std::unique_ptr<GradientEncoding>;

struct EncodingEntry {
  const char* name;
  bool has_error_feedback;
  MadeEncoding (*make)(const Tensors& tensors, int shards, bool error_feedback);
};

template <MadeEncoding (*kMake)(const Tensors&, int)>
MadeEncoding without_feedback(const Tensors& tensors, int shards, bool /*error_feedback*/) {
  return kMake(tensors, shards);
}

template <int kBits>
MadeEncoding scaled(const Tensors& tensors, int shards, bool error_feedback) {
  return make_scaled_encoding(tensors, shards, kBits, error_feedback);
}

/// The door for encodings: one file and one line here.
constexpr std::array kEncodings = {
    EncodingEntry{"exact", false, without_feedback<make_exact_encoding>},
    EncodingEntry{"layer", false, without_feedback<make_layer_encoding>},
    EncodingEntry{"int8", true, scaled<8>},
    EncodingEntry{"int16", true, scaled<16>},
    EncodingEntry{"float32", false, without_feedback<make_float32_encoding>},
};

}  // namespace

std::vector<std::string> encoding_names() {
  std::vector<std::string> names;
  for (const EncodingEntry& entry : kEncodings) {
    names.emplace_back(entry.name);
  }
  return names;
}

std::unique_ptr<GradientEncoding> make_encoding(const std::string& name,
                                                const std::vector<ExchangeTensor>& tensors, int shards,
                                                bool error_feedback) {
  std::string known;
  for (const EncodingEntry& entry : kEncodings) {
    if (entry.name == name) {
      if (error_feedback && !entry.has_error_feedback) {
        throw BadInput(concat("exchange.error_feedback is true, and exchange.encoding '", name,
                              "' has none; expected exchange.encoding: int8 or int16"));
      }
      return entry.make(tensors, shards, error_feedback);
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
