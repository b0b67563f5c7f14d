#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiment/configuration.hpp"
#include "yaml/text.hpp"

namespace adapt {

/// Builds a Configuration from files and overrides, and remembers where each key was last written. Every
/// error is a BadInput that starts with the place.
class ConfigurationReader {
 public:
  explicit ConfigurationReader(const KnownNames& names) : names_(names) {}

  /// Reads a file and before it the files that its `base` names, in their order: a later one wins over an
  /// earlier one.
  void read_file(const std::filesystem::path& path);
  /// Reads text that has no `base`.
  void read_text(const std::string& text, const std::string& source);
  /// Reads the files that `value`, a path or a list of paths relative to the file `path`, names.
  void read_bases(const YAML::Node& value, const std::string& where, const std::filesystem::path& path);
  /// Reads the keys of `mapping`, the root of the file `source`, but those of `others`, which the caller
  /// reads.
  void read_mapping(const YAML::Node& mapping, const std::string& source,
                    const std::vector<std::string>& others);
  /// Reads the value of one key, written as in --set: "training.epochs". `where` is its place in the file
  /// `source`.
  void read_key(const std::string& key, const YAML::Node& value, const std::string& where,
                const std::string& source);
  /// How many files `base` has named so far, each as often as it was read.
  [[nodiscard]] std::size_t base_files() const { return base_files_; }
  /// What was read so far, with the defaults; not checked as a whole.
  [[nodiscard]] const Configuration& so_far() const { return configuration_; }
  /// Applies the overrides and checks the whole. `source` is where errors are that no key can be blamed for.
  Configuration finish(const std::string& source, const std::vector<std::string>& overrides);

 private:
  /// The root of a file. Copies of a reader share what they have parsed.
  YAML::Node parsed(const std::filesystem::path& path);
  void read_base(const YAML::Node& value, const std::string& where, const std::filesystem::path& path);
  void read_section(const YAML::Node& mapping, const std::string& section, const std::string& source,
                    const std::vector<std::string>& others);
  void read_entry(const std::string& key, const YAML::Node& value, const std::string& where,
                  const std::string& source);
  void read_override(const std::string& assignment);
  /// Takes the network from the model file that `value` names.
  void read_model_file(const YAML::Node& value, const std::string& where);
  /// Makes model.weights a whole path, and takes the digest of what is there.
  void find_weights(const std::string& where);
  /// Throws unless the name of a network without a graph is that of a shipped one.
  void check_model(const std::string& source) const;

  KnownNames names_;
  Configuration configuration_;
  std::map<std::string, std::string> places_;  ///< by key: "FILE:LINE" or "--set key=value"
  std::vector<std::filesystem::path> open_;    ///< files being read, the outermost first
  std::size_t base_files_ = 0;                 ///< read so far
  std::optional<std::filesystem::path>
      folder_;  ///< where relative paths start; none: there are no files here
  std::shared_ptr<std::map<std::filesystem::path, YAML::Node>> parsed_ =
      std::make_shared<std::map<std::filesystem::path, YAML::Node>>();
};

}  // namespace adapt
