#include "exchange/encoding.hpp"

#include "base/error.hpp"

namespace adapt {

std::string names_with_feedback() {
  std::string names;
  for (const EncodingEntry& entry : kNames<Encoding>) {
    if (entry.has_error_feedback) {
      names += concat(names.empty() ? "" : " or ", entry.name);
    }
  }
  return names;
}

std::unique_ptr<GradientEncoding> make_encoding(Encoding encoding, const std::vector<ExchangeTensor>& tensors,
                                                int shards, const EncodingOptions& options) {
  const EncodingEntry& entry = entry_of(encoding);
  if (options.error_feedback && !entry.has_error_feedback) {
    throw BadInput(concat("exchange.error_feedback is true, and exchange.encoding '", entry.name,
                          "' has none; expected exchange.encoding: ", names_with_feedback()));
  }
  return entry.make(tensors, shards, options);
}

std::vector<std::size_t> sizes_of(const std::vector<ExchangeTensor>& tensors) {
  std::vector<std::size_t> sizes;
  for (const ExchangeTensor& tensor : tensors) {
    sizes.push_back(tensor.size);
  }
  return sizes;
}

void refuse_gradient(const ExchangeTensor& tensor, std::uint32_t step, std::uint32_t shard) {
  throw BadGradient(concat("the gradient of '", tensor.name, "' is NaN, infinite or too large at step ", step,
                           ", shard ", shard, "; a smaller training.learning_rate may help"));
}

}  // namespace adapt
