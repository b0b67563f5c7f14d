#pragma once

#include <cmath>
#include <span>
#include <string>

#include "base/error.hpp"
#include "nn/layer.hpp"
#include "numerics/sum.hpp"

namespace adapt {

/// NaN or Inf among the numbers of a network.
class NotFinite : public Failure {
 public:
  /// `where` in words: "the output of 'conv2'".
  NotFinite(const Pass& pass, const std::string& where)
      : Failure(concat("NaN or Inf in ", where, " at step ", pass.step, ", shard ", pass.shard,
                       "; a smaller training.learning_rate may help")),
        where_(where) {}

  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  std::string where_;
};

/// To be called with what `node` puts out, or a tile of it, before anybody makes something of it: throws
/// NotFinite where the pass asks for that and not all of it is finite.
inline void check_finite(const Pass& pass, const GraphNode& node, std::span<const float> numbers) {
  if (pass.names_not_finite && !std::isfinite(maximum_magnitude(numbers))) {
    throw NotFinite(pass, concat("the output of '", node.name, "'"));
  }
}

}  // namespace adapt
