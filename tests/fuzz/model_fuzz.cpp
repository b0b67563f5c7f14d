// A model file.

#include <cstdint>
#include <string>
#include <string_view>

#include "harness.hpp"
#include "nn/graph.hpp"
#include "nn/model_file.hpp"
#include "nn/passes/lower.hpp"

/// What is accepted is written out flat, which is a model file that says the same; what is refused, as a file
/// or for its shapes, is told of in one line.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  const std::string text(fuzz::text_of(data, size));
  try {
    const ModelDescription model = read_model(text, "fuzz.yaml", 10);
    const std::string flat = flat_text(text, "fuzz.yaml");
    fuzz::require(flat_text(flat, "flat.yaml") == flat);
    fuzz::require(read_model(flat, "flat.yaml", 10).nodes.size() == model.nodes.size());
    lower(model, model.image, /*quantized=*/true);
  } catch (const BadInput& error) {
    fuzz::require(std::string_view(error.what()).find('\n') == std::string_view::npos);
  }
  return 0;
}
