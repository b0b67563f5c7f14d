#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  fuzz::read_or_refuse([&] {
    const std::string text(fuzz::text_of(data, size));
    const std::string resolved =
        resolved_yaml(parse_configuration(text, "fuzz.yaml", {}, fuzz::known_names()));
    fuzz::require(resolved_yaml(parse_configuration(resolved, "resolved.yaml", {}, fuzz::known_names())) ==
                  resolved);
  });
  return 0;
}
