// The bytes are what the child process that read a run.h5 says of it: the file may have spoilt the child.

#include "harness.hpp"
#include "record/run_contents.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  fuzz::read_or_refuse([&] {
    const std::vector<std::byte> once = encode(decode_run_contents(std::as_bytes(std::span(data, size))));
    fuzz::require(encode(decode_run_contents(once)) == once);
  });
  return 0;
}
