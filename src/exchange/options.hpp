#pragma once

#include <string>

namespace adapt {

/// `exchange`: how gradients cross shards and ranks.
struct ExchangeOptions {
  std::string encoding =
      "auto";  ///< auto (layer when gradients are quantized, else exact), exact, layer, float32
};

}  // namespace adapt
