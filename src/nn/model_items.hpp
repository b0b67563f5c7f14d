#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "nn/option_reader.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

// The items of a model file's lists of layers, as model_file.cpp reads them.

namespace adapt {

/// The parameter that only a data set has a value for.
inline constexpr const char* kClasses = "classes";

/// A value of a parameter, and its place; "$classes" stands for itself.
struct Value {
  YAML::Node node;
  std::string where;
};

/// Parameters by name, and which of them have been read.
struct Parameters {
  std::map<std::string, Value> values;
  mutable std::set<std::string> read;
};

/// Reads `node` by a domain, as the value of `key`.
template <class Domain>
auto value_of(const Domain& domain, const YAML::Node& node, std::string_view key, const std::string& where) {
  try {
    return domain.parse(node);
  } catch (const BadInput& error) {
    throw BadInput(concat(where, ": '", key, "': ", error.what()));
  }
}

/// An item of a list of layers: its kind and options.
struct ModelItem {
  std::string kind;
  YAML::Node options;  ///< a mapping, or null
  std::string where;   ///< "FILE:LINE"
};

/// Throws BadInput unless `node`, in the file `source`, is one.
ModelItem item_of(const YAML::Node& node, const std::string& source);

/// The options of an item, with parameters replaced by their values. The references must outlive it.
class ItemOptions final : public OptionReader {
 public:
  ItemOptions(const ModelItem& item, const Parameters& parameters, int classes)
      : item_(item), parameters_(parameters), classes_(classes) {}

  int integer(std::string_view key, int low, int high, std::optional<int> usual) override;
  double number(std::string_view key, double low, double high, double usual) override;
  bool flag(std::string_view key, bool usual) override;
  std::string label(std::string_view key, const std::string& usual);
  /// How often: nothing that depends on the data set.
  int count(std::string_view key, int usual);
  /// The names that `from` gives; none: the layer before.
  std::vector<std::string> sources();

  /// All that was not asked for, by name: values for a block's parameters.
  [[nodiscard]] Parameters others() const;
  /// Throws BadInput where there is such an option.
  void refuse_others() const;
  /// The options of the operation itself, as a model file without parameters has them: ", kernel: 3".
  [[nodiscard]] std::string text() const;

 private:
  std::optional<Value> find(std::string_view key, bool is_optional);
  [[nodiscard]] Value resolved(const std::string& key, const YAML::Node& node) const;
  [[nodiscard]] YAML::Node number(const Value& value) const;

  const ModelItem& item_;
  const Parameters& parameters_;
  int classes_;
  std::set<std::string> asked_;
};

/// Throws BadInput where nothing has read a parameter. `reader` is what should have: "block 'residual'".
void refuse_unread(const Parameters& parameters, const std::string& reader);

}  // namespace adapt
