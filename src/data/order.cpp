#include <limits>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "data/loader.hpp"
#include "numerics/random.hpp"

namespace adapt {

std::int64_t steps_per_epoch(std::int64_t samples, int batch) {
  if (batch < 1 || samples < batch) {
    throw BadInput(concat("training.batch x training.accumulate is ", batch, ", but there are ", samples,
                          " training images: expected 1..", samples));
  }
  return samples / batch;
}

std::vector<std::int64_t> epoch_order(std::int64_t samples, std::uint64_t seed, std::int64_t epoch) {
  constexpr std::int64_t kLimit = std::numeric_limits<std::uint32_t>::max();  // of the random numbers' keys
  if (samples < 0 || samples > kLimit || epoch < 0 || epoch > kLimit) {
    throw Failure(concat("cannot order epoch ", epoch, " of ", samples, " images: expected 0..", kLimit));
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  RandomSequence random({seed, Stream::shuffle, 0, static_cast<std::uint32_t>(epoch), 0});
  for (std::size_t left = order.size(); left > 1; --left) {  // Fisher-Yates, from the end
    std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
  }
  return order;
}

}  // namespace adapt
