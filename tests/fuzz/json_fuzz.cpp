#include "base/json_value.hpp"
#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  fuzz::read_or_refuse([&] {
    const std::string once = parse_json(fuzz::text_of(data, size), "fuzz.json").dump();
    fuzz::require(parse_json(once, "once.json").dump() == once);
  });
  return 0;
}
