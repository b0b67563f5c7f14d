#include "data/checksum.hpp"

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"
#include "base/phase.hpp"
#include "base/sha256.hpp"
#include "base/stop_signal.hpp"

namespace adapt {

std::string content_checksum(const Dataset& dataset) {
  constexpr std::size_t kLabelBytes = 4;
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 28U;
  const ImageShape shape = dataset.shape();
  const std::string header = concat(shape.height, "x", shape.width, "x", shape.channels, " ",
                                    dataset.classes(), " ", dataset.size(), "\n");
  Sha256 hash;
  hash.update(std::as_bytes(std::span(header)));
  std::vector<std::uint8_t> record(kLabelBytes + static_cast<std::size_t>(shape.elements()));
  const std::int64_t step =
      std::max<std::int64_t>(1, (dataset.size() * shape.elements() + kMostBytes - 1) / kMostBytes);
  for (std::int64_t index = 0; index < dataset.size(); index += step) {
    check_stop();
    const int label = dataset.read(index, std::span(record).subspan(kLabelBytes));
    for (std::size_t i = 0; i < kLabelBytes; ++i) {
      record[i] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(label) >> (8 * i));
    }
    hash.update(std::as_bytes(std::span(record)));
    phase::go_on();
  }
  return hash.finish();
}

}  // namespace adapt
