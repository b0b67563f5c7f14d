#include "experiment/grid_axes.hpp"

#include <map>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "experiment/settings.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kMostSeeds = 10000;

void check_axis_key(const std::string& key, const std::string& where, const char* under) {
  const Setting* const setting_of_key = find_setting(key);
  const bool is_usual = setting_of_key != nullptr && !setting_of_key->is_optional;
  if (key == "base" || is_usual || find_section(key) != nullptr) {
    return;
  }
  if (key == kModelFile || key == kModelWeights) {
    throw BadInput(concat(where, ": '", key, "' under '", under,
                          "'; expected 'base' there, with experiment files that name one each"));
  }
  std::vector<std::string> candidates;
  for (const Setting& setting : settings()) {
    candidates.push_back(setting.key);
  }
  for (const Section& section : sections()) {
    candidates.push_back(section.key);
  }
  const auto candidate = nearest(key, candidates);
  throw BadInput(
      concat(where, ": unknown key ", quote_for_message(key), " under '", under, "'",
             candidate ? "; did you mean '" + *candidate + "'?"
                       : "; expected keys such as training.epochs; 'adapt train --help-keys' lists all"));
}

/// The values of one key: a list with something in it.
std::vector<AxisValue> read_values(const YAML::Node& list, const std::string& key, const std::string& where,
                                   const std::string& source) {
  if (!list.IsSequence() || list.size() == 0) {
    throw BadInput(concat(where, ": '", key, "': ", list.IsSequence() ? "an empty list" : "no list",
                          "; expected the values to try, such as [1, 2]"));
  }
  std::vector<AxisValue> values;
  for (const YAML::Node& node : list) {
    values.push_back({node, place(source, node)});
  }
  return values;
}

/// Adds one key with its values to an axis.
void add_key(Axis& axis, const YAML::Node& name, const YAML::Node& list, const char* under,
             const std::string& source) {
  const std::string where = place(source, name);
  const std::string& key = name.Scalar();
  check_axis_key(key, where, under);
  axis.where = axis.keys.empty() ? where : axis.where;
  axis.values.push_back(read_values(list, key, where, source));
  axis.keys.push_back(key);
}

void check_mapping(const YAML::Node& node, const char* key, const std::string& where,
                   const std::string& source) {
  if (!node.IsMap() || node.size() == 0) {
    throw BadInput(concat(where, ": '", key, "': ", node.IsMap() || node.IsNull() ? "empty" : "no mapping",
                          "; expected keys and their values, such as training.epochs: [1, 2]"));
  }
  check_keys(node, key, source);
}

void read_grid(const YAML::Node& node, const std::string& where, const std::string& source,
               std::vector<Axis>& axes) {
  check_mapping(node, "grid", where, source);
  for (const auto& entry : node) {
    Axis axis;
    add_key(axis, entry.first, entry.second, "grid", source);
    axes.push_back(std::move(axis));
  }
}

void read_zip(const YAML::Node& node, const std::string& where, const std::string& source,
              std::vector<Axis>& axes) {
  check_mapping(node, "zip", where, source);
  Axis axis;
  for (const auto& entry : node) {
    add_key(axis, entry.first, entry.second, "zip", source);
    const std::size_t length = axis.values.back().size();
    if (length != axis.size()) {
      throw BadInput(concat(place(source, entry.first), ": '", axis.keys.back(), "': ", length,
                            " values, and '", axis.keys.front(), "' (", axis.where, ") has ", axis.size(),
                            "; expected lists of one length under 'zip'"));
    }
  }
  axes.push_back(std::move(axis));
}

/// A list of seeds, or how many, from 0.
Axis read_seeds(const YAML::Node& node, const std::string& where, const std::string& source) {
  Axis axis;
  axis.keys = {"seed"};
  axis.where = where;
  if (node.IsSequence()) {
    axis.values.push_back(read_values(node, "seeds", where, source));
    return axis;
  }
  try {
    const std::int64_t count = IntegerDomain{1, kMostSeeds}.parse(node);
    axis.values.emplace_back();
    for (std::int64_t seed = 0; seed < count; ++seed) {
      axis.values[0].push_back({YAML::Load(std::to_string(seed)), where});
    }
  } catch (const BadInput& error) {
    throw BadInput(concat(where, ": 'seeds': ", error.what(), ", or a list of seeds such as [0, 1, 2]"));
  }
  return axis;
}

/// No two axes may set the same key.
void check_apart(const std::vector<Axis>& axes, const std::string& source) {
  std::map<std::string, std::string> seen;
  for (const Axis& axis : axes) {
    for (const std::string& key : axis.keys) {
      const auto [first, added] = seen.emplace(setting_of(key), axis.where);
      if (!added) {
        throw BadInput(concat(axis.where, ": '", key, "' is varied twice; first in ", first->second,
                              "; expected each key once under 'grid', 'zip' and 'seeds'"));
      }
    }
  }
  if (axes.empty()) {
    throw BadInput(source +
                   ": an empty grid; expected 'grid:' with keys and their values, such as grid: "
                   "{training.epochs: [1, 2]}, or 'zip:' or 'seeds:'");
  }
}

/// What the values of an exclusion's key look like when they are written.
Exclusion::Condition read_condition(const YAML::Node& name, const YAML::Node& value, const KnownNames& names,
                                    const std::string& source) {
  const std::string where = place(source, name);
  check_axis_key(name.Scalar(), where, "exclude");
  Exclusion::Condition condition{setting_of(name.Scalar()), {}};
  const Setting* setting = find_setting(condition.key);
  if (setting == nullptr && condition.key != "base") {
    throw BadInput(concat(where, ": '", condition.key, "': a section; expected one key of it, such as ",
                          condition.key, ".", keys_in(condition.key).front()));
  }
  const auto add = [&](const YAML::Node& node) {
    if (setting == nullptr) {
      condition.texts.push_back(compact_text(node));
      return;
    }
    Configuration scratch;
    try {
      setting->read(scratch, node, names);
    } catch (const BadInput& error) {
      throw BadInput(concat(place(source, node), ": '", setting->key, "': ", error.what()));
    }
    condition.texts.push_back(setting->write(scratch));
  };
  if (value.IsSequence()) {
    for (const YAML::Node& node : value) {
      add(node);
    }
  } else {
    add(value);
  }
  return condition;
}

}  // namespace

std::vector<Axis> read_axes(const YAML::Node& root, const std::string& source) {
  std::vector<Axis> axes;
  for (const auto& entry : root) {
    const std::string& key = entry.first.Scalar();
    const std::string where = place(source, entry.first);
    if (key == "seeds") {
      axes.insert(axes.begin(), read_seeds(entry.second, where, source));
    } else if (key == "grid") {
      read_grid(entry.second, where, source, axes);
    } else if (key == "zip" && entry.second.IsSequence()) {
      for (const YAML::Node& group : entry.second) {
        read_zip(group, place(source, group), source, axes);
      }
    } else if (key == "zip") {
      read_zip(entry.second, where, source, axes);
    }
  }
  check_apart(axes, source);
  return axes;
}

std::vector<Exclusion> read_exclusions(const YAML::Node& root, const std::string& source,
                                       const KnownNames& names) {
  std::vector<Exclusion> exclusions;
  for (const auto& entry : root) {
    if (entry.first.Scalar() != "exclude") {
      continue;
    }
    if (!entry.second.IsSequence()) {
      throw BadInput(place(source, entry.first) +
                     ": 'exclude': no list; expected one of mappings, such as [{model: lenet5, seed: 1}]");
    }
    for (const YAML::Node& rule : entry.second) {
      Exclusion exclusion;
      exclusion.where = place(source, rule);
      check_mapping(rule, "exclude", exclusion.where, source);
      for (const auto& condition : rule) {
        exclusion.conditions.push_back(read_condition(condition.first, condition.second, names, source));
      }
      exclusions.push_back(std::move(exclusion));
    }
  }
  return exclusions;
}

std::string compact_text(const YAML::Node& node) {
  if (node.IsScalar()) {
    return node.Scalar();
  }
  std::string text;
  for (const auto& entry : node) {
    text += text.empty() ? "" : ", ";
    text +=
        node.IsMap() ? compact_text(entry.first) + ": " + compact_text(entry.second) : compact_text(entry);
  }
  return node.IsMap() ? "{" + text + "}" : "[" + text + "]";
}

std::string setting_of(const std::string& key) {
  const Section* section = find_section(key);
  return section != nullptr && !section->shorthand.empty() ? section->shorthand : key;
}

}  // namespace adapt
