#include "experiment/reader.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "experiment/checks.hpp"
#include "experiment/domain.hpp"
#include "experiment/settings.hpp"
#include "experiment/yaml_text.hpp"

namespace adapt {
namespace {

constexpr const char* kBase = "base";
constexpr std::size_t kMostBases = 16;

std::string joined(const std::string& section, const std::string& key) {
  return section.empty() ? key : section + "." + key;
}

/// The same key in another section: "; did you mean 'training.epochs'?", or empty.
std::string hint_elsewhere(const std::string& key) {
  for (const Setting& setting : settings()) {
    if (setting.key.ends_with("." + key)) {
      return "; did you mean '" + setting.key + "'?";
    }
  }
  return "";
}

[[noreturn]] void refuse_key(const std::string& where, const std::string& key, const std::string& section) {
  std::vector<std::string> candidates = keys_in(section);
  if (section.empty()) {
    candidates.emplace_back(kBase);
  }
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

/// The root of a file as a mapping.
void check_root(const YAML::Node& root, const std::string& source) {
  if (root.IsNull()) {
    throw BadInput(source + ": empty; expected keys such as 'model: lenet5'");
  }
  if (!root.IsMap()) {
    throw BadInput(place(source, root) + ": " + (root.IsSequence() ? "a list" : "a single value") +
                   "; expected keys such as 'model: lenet5'");
  }
}

/// Keys must be plain words, each once.
void check_keys(const YAML::Node& mapping, const std::string& section, const std::string& source) {
  std::map<std::string, int> lines;
  for (const auto& entry : mapping) {
    const std::string where = place(source, entry.first);
    if (!entry.first.IsScalar()) {
      throw BadInput(where + ": a key that is not a word; expected keys such as 'model: lenet5'");
    }
    const std::string& key = entry.first.Scalar();
    const auto [first, added] = lines.emplace(key, entry.first.Mark().line + 1);
    if (!added) {
      throw BadInput(concat(where, ": duplicate key ", quote_for_message(joined(section, key)),
                            "; first in line ", first->second));
    }
  }
}

}  // namespace

void ConfigurationReader::read_file(const std::filesystem::path& path) {
  const YAML::Node root = parse_yaml(read_yaml_file(path), path.string());
  check_root(root, path.string());
  check_keys(root, "", path.string());
  open_.push_back(std::filesystem::weakly_canonical(path));
  read_bases(root, path);
  open_.pop_back();
  read_section(root, "", path.string(), true);
}

void ConfigurationReader::read_text(const std::string& text, const std::string& source) {
  const YAML::Node root = parse_yaml(text, source);
  check_root(root, source);
  check_keys(root, "", source);
  read_section(root, "", source, false);
}

void ConfigurationReader::read_bases(const YAML::Node& root, const std::filesystem::path& path) {
  for (const auto& entry : root) {
    if (entry.first.Scalar() != kBase) {
      continue;
    }
    const std::string where = place(path.string(), entry.first);
    if (entry.second.IsSequence() && entry.second.size() > 0) {
      for (const YAML::Node& base : entry.second) {
        read_base(base, where, path);
      }
    } else {
      read_base(entry.second, where, path);
    }
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
  std::error_code error;
  if (!std::filesystem::exists(base, error)) {
    throw BadInput(concat(where, ": 'base': there is no ", base.string(), "; expected a path relative to ",
                          path.string()));
  }
  read_file(base);
}

void ConfigurationReader::read_section(const YAML::Node& mapping, const std::string& section,
                                       const std::string& source, bool base_allowed) {
  for (const auto& entry : mapping) {
    const std::string& key = entry.first.Scalar();
    if (base_allowed && key == kBase) {
      continue;  // read already
    }
    const std::string where = place(source, entry.first);
    const std::string full = joined(section, key);
    const std::size_t dot = key.find('.');
    const bool known = find_setting(full) != nullptr || find_section(full) != nullptr;
    if (known && dot != std::string::npos) {
      throw BadInput(concat(where, ": unknown key ", quote_for_message(key), "; write it as ",
                            key.substr(0, dot), ": {", key.substr(dot + 1), ": ...}"));
    }
    if (!base_allowed && full == kBase) {
      throw BadInput(where + ": 'base' works in files only; this text has no folder to look in");
    }
    if (!known) {
      refuse_key(where, key, section);
    }
    read_entry(full, entry.second, where, source);
  }
}

void ConfigurationReader::read_entry(const std::string& key, const YAML::Node& value,
                                     const std::string& where, const std::string& source) {
  const Section* section = find_section(key);
  if (section != nullptr && value.IsMap()) {
    check_keys(value, key, source);
    read_section(value, key, source, false);
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
  places_[setting->key] = where;
}

void ConfigurationReader::read_override(const std::string& assignment) {
  const std::string where = "--set " + one_line(assignment);
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw BadInput(where + ": expected key=value such as training.epochs=3");
  }
  const std::string key = assignment.substr(0, equals);
  if (find_setting(key) == nullptr && find_section(key) == nullptr) {
    refuse_override(where, key);
  }
  const YAML::Node value = parse_yaml_value(assignment.substr(equals + 1), where);
  if (value.IsMap()) {
    throw BadInput(where + ": expected a value or a list; set one key at a time, such as training.epochs=3");
  }
  read_entry(key, value, where, where);
}

Configuration ConfigurationReader::finish(const std::string& source,
                                          const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) {
    read_override(assignment);
  }
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
