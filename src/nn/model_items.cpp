#include "nn/model_items.hpp"

#include <algorithm>
#include <iterator>

#include "base/suggest.hpp"

namespace adapt {
namespace {

constexpr int kMostRepetitions = 1000;

bool is_classes(const YAML::Node& node) { return node.IsScalar() && node.Scalar() == concat('$', kClasses); }

}  // namespace

ModelItem item_of(const YAML::Node& node, const std::string& source) {
  const std::string where = place(source, node);
  if (node.IsScalar()) {
    return {node.Scalar(), {}, where};
  }
  const bool is_one = node.IsMap() && node.size() == 1 && node.begin()->first.IsScalar() &&
                      (node.begin()->second.IsMap() || node.begin()->second.IsNull());
  if (!is_one) {
    throw BadInput(where + ": expected a layer such as 'relu' or 'convolution: {channels: 16, kernel: 3}'");
  }
  if (node.begin()->second.IsMap()) {
    check_keys(node.begin()->second, node.begin()->first.Scalar(), source);
  }
  return {node.begin()->first.Scalar(), node.begin()->second, where};
}

int ItemOptions::integer(std::string_view key, int low, int high, std::optional<int> usual) {
  const auto value = find(key, usual.has_value());
  return value ? static_cast<int>(value_of(IntegerDomain{low, high}, number(*value), key, value->where))
               : *usual;
}

double ItemOptions::number(std::string_view key, double low, double high, double usual) {
  const auto value = find(key, true);
  return value ? value_of(NumberDomain{low, high}, number(*value), key, value->where) : usual;
}

bool ItemOptions::flag(std::string_view key, bool usual) {
  const auto value = find(key, true);
  return value ? value_of(BooleanDomain{}, value->node, key, value->where) : usual;
}

std::string ItemOptions::label(std::string_view key, const std::string& usual) {
  const auto value = find(key, true);
  return value ? value_of(LabelDomain{}, value->node, key, value->where) : usual;
}

int ItemOptions::count(std::string_view key, int usual) {
  const auto value = find(key, true);
  return value
             ? static_cast<int>(value_of(IntegerDomain{0, kMostRepetitions}, value->node, key, value->where))
             : usual;
}

std::vector<std::string> ItemOptions::sources() {
  std::vector<std::string> names;
  const auto value = find("from", true);
  if (!value) {
    return names;
  }
  if (!value->node.IsSequence()) {
    return {value_of(LabelDomain{}, value->node, "from", value->where)};
  }
  for (const YAML::Node& name : value->node) {
    names.push_back(value_of(LabelDomain{}, name, "from", value->where));
  }
  if (names.empty()) {
    throw BadInput(value->where + ": 'from': an empty list; expected the name of a layer that stands before");
  }
  return names;
}

Parameters ItemOptions::others() const {
  Parameters others;
  for (const auto& entry : item_.options) {
    const std::string& key = entry.first.Scalar();
    if (asked_.contains(key)) {
      continue;
    }
    const Value value = resolved(key, entry.second);
    if (!value.node.IsScalar() || key == kClasses) {
      throw BadInput(concat(item_.where, ": '", item_.kind, "': ", quote_for_message(key),
                            " is no parameter of a block; expected a name and a value such as channels: 16"));
    }
    others.values[key] = value;
  }
  return others;
}

void ItemOptions::refuse_others() const {
  for (const auto& entry : item_.options) {
    const std::string& key = entry.first.Scalar();
    if (!asked_.contains(key)) {
      throw BadInput(concat(item_.where, ": '", item_.kind, "': unknown option ", quote_for_message(key),
                            name_hint(key, {asked_.begin(), asked_.end()})));
    }
  }
}

std::string ItemOptions::text() const {
  std::string all;
  for (const auto& entry : item_.options) {
    const std::string& key = entry.first.Scalar();
    if (key != "name" && key != "from") {
      all += concat(", ", key, ": ", resolved(key, entry.second).node.Scalar());
    }
  }
  return all;
}

std::optional<Value> ItemOptions::find(std::string_view key, bool is_optional) {
  const auto [asked, is_new] = asked_.emplace(key);
  const YAML::Node node =
      item_.options.IsMap() ? item_.options[*asked] : YAML::Node(YAML::NodeType::Undefined);
  if (node) {
    return resolved(*asked, node);
  }
  if (!is_optional) {
    throw BadInput(concat(item_.where, ": '", item_.kind, "': option '", key, "' is missing; expected '",
                          item_.kind, ": {", key, ": ...}'"));
  }
  return std::nullopt;
}

/// `node`, or what the parameter that it names stands for.
Value ItemOptions::resolved(const std::string& key, const YAML::Node& node) const {
  if (!node.IsScalar() || !node.Scalar().starts_with('$') || is_classes(node)) {
    return {node, item_.where};
  }
  const std::string name = node.Scalar().substr(1);
  const auto value = parameters_.values.find(name);
  if (value == parameters_.values.end()) {
    std::vector<std::string> known = {kClasses};
    std::transform(parameters_.values.begin(), parameters_.values.end(), std::back_inserter(known),
                   [](const auto& parameter) { return parameter.first; });
    throw BadInput(concat(item_.where, ": '", key, "': unknown parameter ", quote_for_message(name),
                          name_hint(name, known)));
  }
  parameters_.read.insert(name);
  return value->second;
}

YAML::Node ItemOptions::number(const Value& value) const {
  return is_classes(value.node) ? YAML::Load(std::to_string(classes_)) : value.node;
}

void refuse_unread(const Parameters& parameters, const std::string& reader) {
  for (const auto& [name, value] : parameters.values) {
    if (!parameters.read.contains(name)) {
      throw BadInput(concat(value.where, ": nothing in the ", reader, " reads a parameter ",
                            quote_for_message(name), "; expected one that stands there as $",
                            one_line(name)));
    }
  }
}

}  // namespace adapt
