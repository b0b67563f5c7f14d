#include "data/registry.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "data/folds.hpp"

namespace adapt {
namespace {

const DatasetEntry& find_entry(const std::string& name) {
  for (const DatasetEntry& entry : kDatasets) {
    if (name == entry.name) {
      return entry;
    }
  }
  throw BadInput(concat("data.name is \"", name, "\": expected one of ", join_names(dataset_names())));
}

}  // namespace

DataDescription describe_dataset(const DataOptions& options) {
  return find_entry(options.name).describe(options);
}

DataSplits open_dataset(const DataOptions& options, std::uint64_t seed) {
  return cross_validation(find_entry(options.name).open(options, seed), options, seed);
}

bool is_its_path(const std::string& name) {
  return std::ranges::any_of(
      kDatasets, [&](const DatasetEntry& entry) { return entry.name == name && entry.is_its_path; });
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const DatasetEntry& entry : kDatasets) {
    names.emplace_back(entry.name);
  }
  return names;
}

}  // namespace adapt
