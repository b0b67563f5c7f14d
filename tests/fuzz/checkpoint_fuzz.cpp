// The bytes are what a checkpoint holds between its first line and its seal. Both are made to fit, as anybody
// can make them.

#include <algorithm>

#include "base/sha256.hpp"
#include "harness.hpp"
#include "train/checkpoint.hpp"

namespace {

using Bytes = std::vector<std::byte>;

/// The line that names the format.
Bytes first_line() {
  const Bytes any = adapt::encode(adapt::Checkpoint());
  return {any.begin(), std::find(any.begin(), any.end(), std::byte{'\n'}) + 1};
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  static const Bytes head = first_line();
  const std::span<const std::byte> content = std::as_bytes(std::span(data, size));
  Bytes bytes = head;
  bytes.insert(bytes.end(), content.begin(), content.end());
  const std::string seal = sha256(bytes) + "\n";
  const std::span<const std::byte> end = std::as_bytes(std::span(seal));
  bytes.insert(bytes.end(), end.begin(), end.end());
  fuzz::read_or_refuse([&] {
    const Bytes once = encode(decode(bytes));
    fuzz::require(encode(decode(once)) == once);
  });
  return 0;
}
