#include "experiment/pruning_reader.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "yaml/domain.hpp"

namespace adapt {
namespace {

constexpr const char* kSection = "prune";
constexpr int kMostEta = 1000;
constexpr int kMostEpochs = 1000000;

void read_key(const std::string& key, const YAML::Node& node, Pruning& pruning) {
  if (key == "metric") {
    pruning.metric = NameDomain<PruneMetric>::parse(node);
  } else if (key == "eta") {
    pruning.eta = static_cast<int>(IntegerDomain{2, kMostEta}.parse(node));
  } else {
    pruning.rungs = AscendingDomain{1, kMostEpochs}.parse(node);
  }
}

}  // namespace

Pruning read_pruning(const YAML::Node& mapping, const std::string& source) {
  const std::vector<std::string> keys = {"metric", "eta", "rungs"};
  if (!mapping.IsMap()) {
    throw BadInput(concat(place(source, mapping), ": '", kSection, "': expected a mapping with the keys ",
                          join_names(keys)));
  }
  check_keys(mapping, kSection, source);
  Pruning pruning;
  for (const auto& entry : mapping) {
    const std::string& key = entry.first.Scalar();
    const std::string where = place(source, entry.first);
    if (std::ranges::find(keys, key) == keys.end()) {
      throw BadInput(concat(where, ": unknown key ", quote_for_message(joined_key(kSection, key)),
                            name_hint(key, keys)));
    }
    try {
      read_key(key, entry.second, pruning);
    } catch (const BadInput& error) {
      throw BadInput(concat(where, ": '", joined_key(kSection, key), "': ", error.what()));
    }
  }
  if (pruning.rungs.empty()) {
    throw BadInput(concat(place(source, mapping), ": '", kSection,
                          "' has no rungs; expected rungs: [3, 9, 27], epochs at which runs are compared"));
  }
  return pruning;
}

}  // namespace adapt
