#pragma once

#include <string>

namespace adapt {

/// `exchange`: how gradients cross shards and ranks.
struct ExchangeOptions {
  /// auto (layer when gradients are quantized, else exact), exact, layer, int8, int16, float32
  std::string encoding = "auto";
  bool error_feedback = false;  ///< int8, int16: a shard adds what rounding took to its next gradient
  bool overlap = true;          ///< layers are exchanged while backward goes on; the bits are the same
};

}  // namespace adapt
