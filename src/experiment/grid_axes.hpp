#pragma once

#include <string>
#include <vector>

#include "experiment/configuration.hpp"
#include "yaml/text.hpp"

namespace adapt {

/// Keys of a grid file that are no keys of an experiment.
inline constexpr const char* kGridKeys[] = {"base", "grid", "zip", "exclude", "seeds", "slurm", "prune"};

/// A value of an axis, and its place "FILE:LINE".
struct AxisValue {
  YAML::Node node;
  std::string where;
};

/// Keys that move together: each has as many values as the others, and position i takes the i-th of each.
struct Axis {
  std::vector<std::string> keys;               ///< as written: "training.epochs", "precision", "base"
  std::string where;                           ///< place of the first key
  std::vector<std::vector<AxisValue>> values;  ///< by key, by position

  [[nodiscard]] std::size_t size() const { return values.front().size(); }
};

/// A rule of `exclude`: runs for which each of the keys has one of its values.
struct Exclusion {
  struct Condition {
    std::string key;                 ///< of a setting, or "base"
    std::vector<std::string> texts;  ///< its values, as Setting::write gives them; of "base" as written
  };
  std::vector<Condition> conditions;
  std::string where;
};

/// The axes of a grid: of `seeds` first, then those of `grid` in the order of the file, then those of `zip`.
/// Throws BadInput (place, key, what would be right) for a key that is unknown or there twice, a list that is
/// empty, lists of unequal length under `zip`, and where there is no axis at all.
std::vector<Axis> read_axes(const YAML::Node& root, const std::string& source);

/// The rules under `exclude`. Throws BadInput likewise, and for values that a key does not accept.
std::vector<Exclusion> read_exclusions(const YAML::Node& root, const std::string& source,
                                       const KnownNames& names);

/// A value in one line, as people read it: "3", "[10, 15]", "{epochs: 3}".
std::string compact_text(const YAML::Node& node);

/// The setting that a key of an axis sets: "precision.policy" for "precision". The key itself where it is a
/// section without such a setting, or unknown.
std::string setting_of(const std::string& key);

}  // namespace adapt
