#include "data/gzip.hpp"
#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  constexpr std::size_t kMost = 1U << 20U;
  std::vector<std::uint8_t> bytes;
  fuzz::read_or_refuse([&] {
    GzipReader reader({data, size}, "fuzz.gz");
    reader.read(10, bytes);
    reader.read(kMost, bytes);
  });
  fuzz::require(bytes.size() <= 10 + kMost);
  return 0;
}
