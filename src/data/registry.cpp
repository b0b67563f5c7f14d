#include "data/registry.hpp"

#include "base/error.hpp"
#include "data/folds.hpp"

namespace adapt {
namespace {

struct Entry {
  const char* name;
  DataSplits (*open)(const DataOptions&, std::uint64_t);
  DataDescription (*describe)(const DataOptions&);
};

#define ADAPT_DATASET_ENTRY(name) Entry{#name, open_##name, describe_##name},
constexpr Entry kEntries[] = {ADAPT_DATASETS(ADAPT_DATASET_ENTRY)};
#undef ADAPT_DATASET_ENTRY

const Entry& find_entry(const std::string& name) {
  std::string known;
  for (const Entry& entry : kEntries) {
    if (name == entry.name) {
      return entry;
    }
    known += concat(known.empty() ? "" : ", ", entry.name);
  }
  throw BadInput(concat("data.name is \"", name, "\": expected one of ", known));
}

}  // namespace

DataDescription describe_dataset(const DataOptions& options) {
  return find_entry(options.name).describe(options);
}

DataSplits open_dataset(const DataOptions& options, std::uint64_t seed) {
  return cross_validation(find_entry(options.name).open(options, seed), options, seed);
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace adapt
