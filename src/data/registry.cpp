#include "data/registry.hpp"

#include "base/error.hpp"
#include "data/folds.hpp"

namespace adapt {
namespace {

struct Entry {
  const char* name;
  DataSplits (*open)(const DataOptions&, std::uint64_t);
};

#define ADAPT_DATASET_ENTRY(name) Entry{#name, open_##name},
constexpr Entry kEntries[] = {ADAPT_DATASETS(ADAPT_DATASET_ENTRY)};
#undef ADAPT_DATASET_ENTRY

}  // namespace

DataSplits open_dataset(const DataOptions& options, std::uint64_t seed) {
  for (const Entry& entry : kEntries) {
    if (options.name == entry.name) {
      return cross_validation(entry.open(options, seed), options, seed);
    }
  }
  std::string known;
  for (const Entry& entry : kEntries) {
    known += concat(known.empty() ? "" : ", ", entry.name);
  }
  throw BadInput(concat("data.name is \"", options.name, "\": expected one of ", known));
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace adapt
