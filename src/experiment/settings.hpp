#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiment/configuration.hpp"
#include "yaml/text.hpp"

namespace adapt {

/// One key of an experiment file, bound to a member of Configuration. Reading, writing, overrides and the
/// reference text all come from the table settings().
struct Setting {
  std::string key;           ///< "training.schedule.factor"
  std::string doc;           ///< one line
  bool identifies = true;    ///< counts in run_identity()
  std::string neutral;       ///< the value, as written, with which it does not count; empty: none
  bool is_optional = false;  ///< is written only where it is not neutral; the reference leaves it out
  /// Sets the member; throws BadInput without place and key.
  std::function<void(Configuration&, const YAML::Node&, const KnownNames&)> read;
  std::function<std::string(const Configuration&)> write;  ///< the value as YAML on one line
  std::function<std::string(const KnownNames&)> describe;  ///< the values it accepts
};

/// A mapping of keys.
struct Section {
  std::string key;        ///< "training.schedule"
  std::string doc;        ///< one line
  std::string shorthand;  ///< the setting that a plain value instead of a mapping sets, or empty
};

/// Whether the setting counts in run_identity() with the value that it has.
bool identifies(const Setting& setting, const Configuration& configuration);

/// The value that then counts, as YAML on one line.
std::string identifying_value(const Setting& setting, const Configuration& configuration);

/// Whether the setting is written with the value that it has.
bool is_written(const Setting& setting, const Configuration& configuration);

/// The key of the data's place, which counts for the identity where it says which data they are.
inline constexpr const char* kDataPath = "data.path";

/// The key that takes the network from a model file: it becomes a name and a graph.
inline constexpr const char* kModelFile = "model.file";

/// The key of weights to start from: in a file, its path is relative to that, and the weights' digest is
/// taken.
inline constexpr const char* kModelWeights = "model.weights";

/// All settings; those of a section stand together, in the order in which they are written.
const std::vector<Setting>& settings();

/// All sections, outer before inner.
const std::vector<Section>& sections();

/// The setting or section with this key, or null.
const Setting* find_setting(const std::string& key);
const Section* find_section(const std::string& key);

/// Names of the keys directly in a section ("" is the whole file), sections included.
std::vector<std::string> keys_in(const std::string& section);

}  // namespace adapt
