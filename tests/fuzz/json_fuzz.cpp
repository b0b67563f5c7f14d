#include "base/json.hpp"
#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  fuzz::read_or_refuse([&] {
    const std::string once = json_text(parse_json(fuzz::text_of(data, size), "fuzz.json"));
    fuzz::require(json_text(parse_json(once, "once.json")) == once);
  });
  return 0;
}
