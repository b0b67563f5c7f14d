#include "experiment/grid.hpp"
#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  static const std::filesystem::path path = fuzz::folder() / "grid.yaml";
  fuzz::write_file(path, fuzz::text_of(data, size));
  fuzz::write_file(fuzz::folder() / "a.yaml", "training: {epochs: 2}\n");
  fuzz::write_file(fuzz::folder() / "b.yaml", "base: a.yaml\nseed: 3\n");
  fuzz::read_or_refuse([&] {
    const Grid grid = load_grid(path, {}, fuzz::known_names());
    fuzz::require(!grid.runs.empty() && grid.runs.size() <= kMostGridRuns);
  });
  return 0;
}
