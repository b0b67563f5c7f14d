// An experiment file; or, behind "--set ", an override.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness.hpp"

namespace {

constexpr std::string_view kOverride = "--set ";

std::string resolved(const std::string& text, const std::vector<std::string>& overrides) {
  return adapt::resolved_yaml(
      adapt::parse_configuration(text, "fuzz.yaml", overrides, adapt::fuzz::known_names()));
}

}  // namespace

/// What is accepted reads back as what it is; what is refused is told of in one line, with its place.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  const std::string_view text = fuzz::text_of(data, size);
  const bool is_override = text.starts_with(kOverride);
  std::string once;
  try {
    once = is_override ? resolved("{}", {std::string(text.substr(kOverride.size()))})
                       : resolved(std::string(text), {});
  } catch (const BadInput& error) {
    const std::string_view message = error.what();
    fuzz::require(message.starts_with(is_override ? kOverride : "fuzz.yaml"));
    fuzz::require(message.find('\n') == std::string_view::npos);
    return 0;
  }
  fuzz::require(resolved(once, {}) == once);
  return 0;
}
