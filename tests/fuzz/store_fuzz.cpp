// The first byte says which file of a store the rest is. A store can always be listed: what is wrong with a
// file is said of its run, or in a warning.

#include <array>

#include "experiment/index.hpp"
#include "experiment/submission.hpp"
#include "harness.hpp"

namespace {

constexpr const char* kRun = "0123456789abcdef";
constexpr std::array kFiles = {"claim", "FAILED", "requeues", "experiment.yaml"};

std::filesystem::path file_of(const std::filesystem::path& store, std::uint8_t which) {
  const std::size_t choice = which % (kFiles.size() + 2);
  if (choice < kFiles.size()) {
    return store / kRun / kFiles[choice];
  }
  return choice == kFiles.size() ? store / "index.json" : store / "submissions" / "fuzz-1.json";
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  if (size == 0) {
    return 0;
  }
  static const std::filesystem::path path = fuzz::folder() / "store";
  ::setenv("PATH", "", 1);  // nobody is asked about jobs
  std::filesystem::remove_all(path);
  fuzz::write_file(path / kRun / "experiment.yaml", "model: lenet5\n");
  fuzz::write_file(file_of(path, data[0]), fuzz::text_of(data + 1, size - 1));
  const RunStore store(path);
  const std::vector<IndexEntry> entries = read_index(store, fuzz::known_names());
  fuzz::require(entries.size() == 1 && entries[0].identity == kRun);
  fuzz::require(load_submissions(store).size() <= 1);
  static_cast<void>(store.requeues(kRun));
  return 0;
}
