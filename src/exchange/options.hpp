#pragma once

#include <optional>

#include "exchange/algorithm.hpp"
#include "exchange/links.hpp"
#include "exchange/registry.hpp"

namespace adapt {

/// `exchange`: how gradients cross shards and ranks.
struct ExchangeOptions {
  std::optional<Encoding> encoding = {};  ///< none: auto, layer when gradients are quantized, else exact
  bool error_feedback = false;  ///< int8, int16: a shard adds what rounding took to its next gradient
  std::optional<Algorithm> algorithm = {};  ///< none: auto, by measured links; the bits are the same
  bool overlap = true;  ///< layers are exchanged while backward goes on; the bits are the same
  std::optional<LinkCosts> links = {};  ///< as measured at the start, for algorithm auto; none: kUsualLinks
};

}  // namespace adapt
