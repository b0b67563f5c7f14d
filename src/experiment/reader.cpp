#include "experiment/reader.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "experiment/checks.hpp"
#include "experiment/grid_axes.hpp"
#include "experiment/settings.hpp"
#include "nn/model_file.hpp"
#include "record/weights_file.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

constexpr const char* kBase = "base";
constexpr int kAnyClasses = 2;               ///< the data set, which knows, is not open yet
constexpr std::size_t kMostBases = 16;       ///< on top of each other
constexpr std::size_t kMostBaseFiles = 100;  ///< of one experiment, each counted as often as it is named

/// The same key in another section: "; did you mean 'training.epochs'?", or empty.
std::string hint_elsewhere(const std::string& key) {
  for (const Setting& setting : settings()) {
    if (setting.key.ends_with("." + key)) {
      return "; did you mean '" + setting.key + "'?";
    }
  }
  return "";
}

/// `others`: keys that are known beside those of the section.
[[noreturn]] void refuse_key(const std::string& where, const std::string& key, const std::string& section,
                             const std::vector<std::string>& others) {
  const bool grid_key = std::find(std::begin(kGridKeys), std::end(kGridKeys), key) != std::end(kGridKeys);
  if (section.empty() && grid_key) {
    throw BadInput(concat(where, ": '", key,
                          "' is a key of grids; expected an experiment, or 'adapt sweep' to "
                          "run the grid"));
  }
  std::vector<std::string> candidates = keys_in(section);
  if (section.empty()) {
    candidates.emplace_back(kBase);
  }
  std::copy_if(others.begin(), others.end(), std::back_inserter(candidates),
               [](const std::string& other) { return other != kBase; });
  const std::string elsewhere = nearest(key, candidates) ? "" : hint_elsewhere(key);
  throw BadInput(concat(where, ": unknown key ", quote_for_message(key),
                        section.empty() ? "" : concat(" in '", section, "'"),
                        elsewhere.empty() ? name_hint(key, candidates) : elsewhere));
}

[[noreturn]] void refuse_override(const std::string& where, const std::string& key) {
  std::vector<std::string> candidates;
  for (const Setting& setting : settings()) {
    candidates.push_back(setting.key);
  }
  const auto candidate = nearest(key, candidates);
  const std::string hint = candidate ? "; did you mean '" + *candidate + "'?" : hint_elsewhere(key);
  throw BadInput(concat(where, ": unknown key ", quote_for_message(key),
                        hint.empty() ? "; 'adapt train --help-keys' lists all keys" : hint));
}

}  // namespace

YAML::Node ConfigurationReader::parsed(const std::filesystem::path& path) {
  const auto found = parsed_->find(path);
  if (found != parsed_->end()) {
    return found->second;
  }
  const YAML::Node root = parse_yaml(read_yaml_file(path), path.string());
  check_root(root, path.string());
  check_keys(root, "", path.string());
  return parsed_->emplace(path, root).first->second;
}

void ConfigurationReader::read_file(const std::filesystem::path& path) {
  const YAML::Node root = parsed(path);
  open_.push_back(std::filesystem::weakly_canonical(path));
  for (const auto& entry : root) {
    if (entry.first.Scalar() == kBase) {
      read_bases(entry.second, place(path.string(), entry.first), path);
    }
  }
  open_.pop_back();
  folder_ = path.parent_path();
  read_section(root, "", path.string(), {kBase});
}

void ConfigurationReader::read_text(const std::string& text, const std::string& source) {
  const YAML::Node root = parse_yaml(text, source);
  check_root(root, source);
  check_keys(root, "", source);
  folder_.reset();
  read_section(root, "", source, {});
}

void ConfigurationReader::read_mapping(const YAML::Node& mapping, const std::string& source,
                                       const std::vector<std::string>& others) {
  folder_ = std::filesystem::path(source).parent_path();
  read_section(mapping, "", source, others);
}

void ConfigurationReader::read_bases(const YAML::Node& value, const std::string& where,
                                     const std::filesystem::path& path) {
  if (!value.IsSequence() || value.size() == 0) {
    read_base(value, where, path);
    return;
  }
  for (const YAML::Node& base : value) {
    read_base(base, where, path);
  }
}

void ConfigurationReader::read_base(const YAML::Node& value, const std::string& where,
                                    const std::filesystem::path& path) {
  if (!value.IsScalar() || value.Scalar().empty()) {
    throw BadInput(where + ": 'base': expected the path of an experiment file, or a list of such paths");
  }
  const std::filesystem::path base = (path.parent_path() / value.Scalar()).lexically_normal();
  const bool circle =
      std::find(open_.begin(), open_.end(), std::filesystem::weakly_canonical(base)) != open_.end();
  if (circle) {
    throw BadInput(concat(where, ": 'base': ", base.string(), " leads back to itself; expected no circle"));
  }
  if (open_.size() > kMostBases) {
    throw BadInput(concat(where, ": 'base': more than ", kMostBases, " files on top of each other"));
  }
  if (++base_files_ > kMostBaseFiles) {
    throw BadInput(concat(where, ": 'base': more than ", kMostBaseFiles, " files below one experiment"));
  }
  std::error_code error;
  if (!std::filesystem::exists(base, error)) {
    throw BadInput(concat(where, ": 'base': there is no ", base.string(), "; expected a path relative to ",
                          path.string()));
  }
  read_file(base);
}

void ConfigurationReader::read_section(const YAML::Node& mapping, const std::string& section,
                                       const std::string& source, const std::vector<std::string>& others) {
  if (section == "model" && mapping["file"] && mapping["name"]) {
    throw BadInput(place(source, mapping["file"]) + ": 'model': expected a name or a file, not both");
  }
  for (const auto& entry : mapping) {
    const std::string& key = entry.first.Scalar();
    if (std::find(others.begin(), others.end(), key) != others.end()) {
      continue;
    }
    const std::string where = place(source, entry.first);
    const std::string full = joined_key(section, key);
    const std::size_t dot = key.find('.');
    const bool known = full == kModelFile || find_setting(full) != nullptr || find_section(full) != nullptr;
    if (known && dot != std::string::npos) {
      throw BadInput(concat(where, ": unknown key ", quote_for_message(key), "; write it as ",
                            key.substr(0, dot), ": {", key.substr(dot + 1), ": ...}"));
    }
    if (full == kBase) {
      throw BadInput(where + ": 'base' works in files only; this text has no folder to look in");
    }
    if (!known) {
      refuse_key(where, key, section, others);
    }
    read_entry(full, entry.second, where, source);
  }
}

void ConfigurationReader::read_entry(const std::string& key, const YAML::Node& value,
                                     const std::string& where, const std::string& source) {
  if (key == kModelFile) {
    read_model_file(value, where);
    return;
  }
  const Section* section = find_section(key);
  if (section != nullptr && value.IsMap()) {
    check_keys(value, key, source);
    read_section(value, key, source, {});
    return;
  }
  if (section != nullptr && (section->shorthand.empty() || !value.IsScalar())) {
    throw BadInput(
        concat(where, ": '", key, "': expected a mapping with the keys ", join_names(keys_in(key))));
  }
  const Setting* setting = find_setting(section != nullptr ? section->shorthand : key);
  try {
    setting->read(configuration_, value, names_);
  } catch (const BadInput& error) {
    throw BadInput(concat(where, ": '", setting->key, "': ", error.what()));
  }
  if (setting->key == kModelWeights) {
    find_weights(where);
  }
  places_[setting->key] = where;
}

void ConfigurationReader::read_override(const std::string& assignment) {
  const std::string where = "--set " + one_line(assignment);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw BadInput(where + ": expected key=value such as training.epochs=3");
  }
  const std::string key = assignment.substr(0, equals);
  const YAML::Node value = parse_yaml_value(assignment.substr(equals + 1), where);
  folder_ = std::filesystem::path();
  if (value.IsMap()) {
    throw BadInput(where + ": expected a value or a list; set one key at a time, such as training.epochs=3");
  }
  read_key(key, value, where, where);
}

void ConfigurationReader::read_key(const std::string& key, const YAML::Node& value, const std::string& where,
                                   const std::string& source) {
  if (key != kModelFile && find_setting(key) == nullptr && find_section(key) == nullptr) {
    refuse_override(where, key);
  }
  read_entry(key, value, where, source);
}

void ConfigurationReader::read_model_file(const YAML::Node& value, const std::string& where) {
  if (!folder_) {
    throw BadInput(where + ": 'model.file' works in files only; this text has no folder to look in");
  }
  if (!value.IsScalar() || value.Scalar().empty()) {
    throw BadInput(where + ": 'model.file': expected the path of a model file");
  }
  const std::filesystem::path path = (*folder_ / value.Scalar()).lexically_normal();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw BadInput(concat(where, ": 'model.file': there is no ", path.string(),
                          "; expected a path relative to ",
                          folder_->empty() ? "this folder" : folder_->string()));
  }
  ModelOptions& model = configuration_.model;
  try {
    model.text = read_yaml_file(path);
  } catch (const Error& error) {
    throw BadInput(concat(where, ": 'model.file': ", error.what()));
  }
  model.file = path.string();
  model.name = read_model(model.text, model.file, kAnyClasses).name;
  model.graph = flat_text(model.text, model.file);
}

void ConfigurationReader::find_weights(const std::string& where) {
  ModelOptions& model = configuration_.model;
  if (!folder_) {  // a run's own words: what the weights were is known
    return;
  }
  model.weights_sha256.clear();
  if (model.weights.empty()) {
    return;
  }
  try {
    model.weights = std::filesystem::absolute(*folder_ / model.weights).lexically_normal().string();
    model.weights_sha256 = weights_digest(model.weights);
  } catch (const Error& error) {
    throw BadInput(concat(where, ": '", kModelWeights, "': ", error.what()));
  }
}

void ConfigurationReader::check_model(const std::string& source) const {
  const std::string& name = configuration_.model.name;
  if (!configuration_.model.graph.empty()) {
    return;
  }
  try {
    static_cast<void>(ChoiceDomain{names_.models}.parse(YAML::Load(format_name(name))));
  } catch (const BadInput& error) {
    const auto written = places_.find("model.name");
    throw BadInput(
        concat(written == places_.end() ? source : written->second, ": 'model.name': ", error.what()));
  }
}

Configuration ConfigurationReader::finish(const std::string& source,
                                          const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    read_override(assignment);
  }
  check_model(source);
  check_combinations(configuration_, [&](const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      const auto written = places_.find(key);
      if (written != places_.end()) {
        return written->second;
      }
    }
    return source;
  });
  return configuration_;
}

}  // namespace adapt
