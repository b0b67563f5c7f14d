#include "experiment/index.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/terminal.hpp"
#include "experiment/grid_axes.hpp"
#include "experiment/interruption.hpp"
#include "record/run_file.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

constexpr const char* kIndex = "index.json";
/// Part of each stamp: changes when entries get other members, so that old ones are read again.
constexpr const char* kVersion = "3";
/// 1,000 runs take 5 MB.
constexpr std::uintmax_t kLargestIndex = std::uintmax_t{1} << 29U;

/// Size and time of a file, "-" where there is none.
std::string stamp_of(const std::filesystem::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    return "-";
  }
  return concat(status.st_size, ".", status.st_mtim.tv_sec, ".", status.st_mtim.tv_nsec);
}

std::string stamp_of_run(const std::filesystem::path& run_dir) {
  std::string stamp = kVersion;
  for (const char* file :
       {"run.h5", "DONE", "FAILED", "interrupted", "requeues", "rungs", "experiment.yaml"}) {
    stamp += concat(" ", stamp_of(run_dir / file));
  }
  return stamp;
}

/// A text without quotes and escapes, anything else as it is.
std::string plain(const std::string& json) {
  return json.starts_with('"') ? printable_line(parse_json(json, "index").get<std::string>()) : json;
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

void add_epochs(const std::vector<EpochRecord>& epochs, IndexEntry& entry) {
  double seconds = 0;
  const EpochRecord* best = nullptr;
  for (const EpochRecord& epoch : epochs) {
    seconds += epoch.seconds + epoch.test_seconds;
    best = best == nullptr || epoch.test_accuracy > best->test_accuracy ? &epoch : best;
  }
  entry.metrics.emplace_back("epochs", static_cast<double>(epochs.size()));
  if (best != nullptr) {
    entry.metrics.emplace_back("test_accuracy", epochs.back().test_accuracy);
    entry.metrics.emplace_back("best_test_accuracy", best->test_accuracy);
    entry.metrics.emplace_back("best_epoch", static_cast<double>(best->epoch));
    entry.metrics.emplace_back("train_loss", epochs.back().train_loss);
  }
  entry.metrics.emplace_back("seconds", seconds);
}

void add_log(const RunFile& log, IndexEntry& entry) {
  add_epochs(log.epochs(), entry);
  const auto provenance = log.provenance();
  for (const char* name : {"ranks", "threads"}) {
    const auto found = provenance.find(name);
    if (const auto value = found == provenance.end() ? std::nullopt : as_number(found->second)) {
      entry.metrics.emplace_back(name, *value);
    }
  }
  for (const auto& [name, value] : log.summary()) {
    const bool known = std::any_of(entry.metrics.begin(), entry.metrics.end(),
                                   [&, &metric = name](const auto& other) { return other.first == metric; });
    if (!known) {
      entry.metrics.emplace_back(name, value);
    }
  }
}

/// Reads a run from its folder.
IndexEntry read_run(const RunStore& store, const std::string& identity, const KnownNames& names,
                    RunReader& reader) {
  IndexEntry entry;
  entry.identity = identity;
  try {
    std::error_code ignored;
    std::optional<RunFile> log;
    if (std::filesystem::exists(store.folder(identity) / "run.h5", ignored)) {
      log.emplace(store.folder(identity), RunParts::overview, reader);
    }
    const std::filesystem::path path = store.experiment(identity);
    const bool copied =
        log && !std::filesystem::exists(path, ignored);  // a run that was put here by other means
    const std::string text = copied ? log->configuration() : read_yaml_file(path);
    const Configuration configuration = parse_configuration(text, path.string(), {}, names);
    entry.name = configuration.name;
    entry.configuration = json_values(configuration);
    if (log) {
      add_log(*log, entry);
      if (log->done_mark() == Done::foreign) {
        entry.message = "DONE does not belong to its run.h5";
      }
    }
    entry.requeues = store.requeues(identity);
  } catch (const Error& error) {
    entry.message = error.what();
  }
  if (const auto failure = store.failure(identity)) {
    entry.message = failure->message;
    entry.reason = name_of(failure->reason);
    entry.nodes = failure->nodes;
  } else if (const auto interruption = interruption_of(store.folder(identity))) {
    entry.message = interruption->message;
    entry.reason = name_of(interruption->reason);
    entry.nodes = interruption->nodes;
  }
  return entry;
}

Json json_of(const IndexEntry& entry) {
  Json configuration = Json::object();
  for (const auto& [key, value] : entry.configuration) {
    add_member(configuration, key, parse_json(value, key));
  }
  Json metrics = Json::object();
  for (const auto& [key, value] : entry.metrics) {
    add_member(metrics, key, value);
  }
  return {
      {"identity", entry.identity},   {"name", entry.name},       {"state", state_name(entry.state)},
      {"requeues", entry.requeues},   {"message", entry.message}, {"reason", entry.reason},
      {"nodes", entry.nodes},         {"stamp", entry.stamp},     {"configuration", std::move(configuration)},
      {"metrics", std::move(metrics)}};
}

IndexEntry entry_from(const Json& json) {
  IndexEntry entry;
  entry.identity = text_of(json, "identity");
  entry.name = text_of(json, "name");
  entry.requeues = static_cast<int>(integer_of(json, "requeues").value_or(0));
  entry.message = text_of(json, "message");
  entry.reason = text_of(json, "reason");
  entry.nodes = text_of(json, "nodes");
  entry.stamp = text_of(json, "stamp");
  for (RunState state :
       {RunState::running, RunState::done, RunState::failed, RunState::pruned, RunState::resumable}) {
    entry.state = text_of(json, "state") == state_name(state) ? state : entry.state;
  }
  if (const Json* values = find_member(json, "configuration"); values != nullptr && values->is_object()) {
    for (const auto& [key, value] : values->items()) {
      entry.configuration.emplace_back(key, json_line(value));
    }
  }
  if (const Json* values = find_member(json, "metrics"); values != nullptr && values->is_object()) {
    for (const auto& [key, value] : values->items()) {
      entry.metrics.emplace_back(
          key, value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return entry;
}

/// What the file holds, by identity; nothing where it is missing or damaged, as the runs know it all.
std::map<std::string, IndexEntry> load(const std::filesystem::path& path) {
  std::map<std::string, IndexEntry> entries;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return entries;
  }
  try {
    const Json items = parse_json(read_text(path, kLargestIndex), path.string());
    for (const Json& item : items) {
      IndexEntry entry = entry_from(item);
      entries.emplace(entry.identity, std::move(entry));
    }
  } catch (const BadInput& error) {
    log_warning(concat("the index is built anew: ", error.what()));
  }
  return entries;
}

void save(const std::filesystem::path& path, const std::vector<IndexEntry>& entries) {
  try {
    write_atomically(path, to_json(entries));
  } catch (const Failure& error) {
    log_warning(concat("the index is not kept: ", error.what()));
  }
}

/// One condition.
struct IndexFilter {
  std::string key;
  std::string value;
  bool equal = true;
};

IndexFilter parse_filter(const std::string& condition) {
  const std::size_t equals = condition.find('=');
  const bool unequal = equals != std::string::npos && equals > 0 && condition[equals - 1] == '!';
  const std::size_t key_end = unequal ? equals - 1 : equals;
  if (equals == std::string::npos || key_end == 0) {
    throw BadInput(
        concat("--where ", condition, ": expected key=value or key!=value, such as model=resnet20"));
  }
  return {condition.substr(0, key_end), condition.substr(equals + 1), !unequal};
}

/// The whole key that `key` stands for in this entry; empty where it has none.
std::string whole_key(const IndexEntry& entry, const std::string& key) {
  const std::string shorthand = setting_of(key);
  for (const std::string& candidate : {key, shorthand}) {
    if (!entry.value_of(candidate).empty()) {
      return candidate;
    }
  }
  for (const auto& [name, value] : entry.configuration) {
    if (name.ends_with("." + key)) {
      return name;
    }
  }
  return "";
}

bool fits(const IndexEntry& entry, const IndexFilter& filter) {
  const std::string value = entry.value_of(whole_key(entry, filter.key));
  const auto number = as_number(value);
  const bool same = value == filter.value || (number && number == as_number(filter.value));
  return same == filter.equal;
}

}  // namespace

double IndexEntry::metric(const std::string& key) const {
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const auto& m) { return m.first == key; });
  return found == metrics.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

std::string IndexEntry::value_of(const std::string& key) const {
  const std::array<std::pair<std::string_view, std::string>, 4> own = {
      {{"identity", identity}, {"name", name}, {"state", state_name(state)}, {"reason", reason}}};
  for (const auto& [name_of, value] : own) {
    if (key == name_of) {
      return value;
    }
  }
  for (const auto& [name_of, value] : configuration) {
    if (name_of == key) {
      return plain(value);
    }
  }
  const double value = metric(key);
  return std::isfinite(value) ? NumberDomain::format(value) : "";
}

std::string to_json(const std::vector<IndexEntry>& entries) {
  Json json = Json::array();
  for (const IndexEntry& entry : entries) {
    json.push_back(json_of(entry));
  }
  return json_text(json);
}

std::vector<IndexEntry> read_index(const RunStore& store, const KnownNames& names) {
  const std::filesystem::path path = store.path() / kIndex;
  std::map<std::string, IndexEntry> known = load(path);
  const std::size_t before = known.size();
  std::vector<IndexEntry> entries;
  RunReader reader;
  bool changed = false;
  for (const std::string& identity : store.identities()) {
    const std::string stamp = stamp_of_run(store.folder(identity));
    const auto found = known.find(identity);
    const bool fresh = found != known.end() && found->second.stamp == stamp;
    // Looked at anew, unless a digest would have to be computed anew.
    const bool done = fresh && found->second.state == RunState::done;
    const RunState state = done ? RunState::done : store.state(identity);
    changed = changed || !fresh || found->second.state != state;
    entries.push_back(fresh ? std::move(found->second) : read_run(store, identity, names, reader));
    entries.back().state = state;
    entries.back().stamp = stamp;
  }
  if (changed || entries.size() != before) {
    save(path, entries);
  }
  return entries;
}

std::vector<IndexEntry> filter_index(const std::vector<IndexEntry>& entries,
                                     const std::vector<std::string>& conditions) {
  std::vector<IndexFilter> filters;
  for (const std::string& condition : conditions) {
    filters.push_back(parse_filter(condition));
    const std::string& key = filters.back().key;
    const bool known = std::any_of(entries.begin(), entries.end(),
                                   [&](const IndexEntry& entry) { return !whole_key(entry, key).empty(); });
    if (!known && !entries.empty()) {
      throw BadInput(
          concat("--where ", condition, ": no run has the key '", key,
                 "'; expected one of a configuration or a metric, such as model or test_accuracy"));
    }
  }
  std::vector<IndexEntry> chosen;
  std::copy_if(entries.begin(), entries.end(), std::back_inserter(chosen), [&](const IndexEntry& entry) {
    return std::all_of(filters.begin(), filters.end(),
                       [&](const IndexFilter& filter) { return fits(entry, filter); });
  });
  return chosen;
}

}  // namespace adapt
