#include "nn/model_file.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "nn/model_items.hpp"
#include "nn/models.hpp"
#include "nn/ops/registry.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

constexpr std::size_t kMostNodes = 10000;        ///< and as many blocks
constexpr std::size_t kLongestText = 1U << 19U;  ///< of a model without blocks: an experiment file takes it
constexpr std::size_t kLongestName = 100;
constexpr std::size_t kMostNames = 20;   ///< in a message
constexpr std::size_t kMostBlocks = 16;  ///< within each other
constexpr int kLargestSide = 1 << 16;    ///< of images
constexpr const char* kInput = "input";

/// What `from` may name, and the values behind it.
using Scope = std::map<std::string, int>;

YAML::Node parse_model(const std::string& text, const std::string& source) {
  const YAML::Node root = parse_yaml(text, source);
  if (!root.IsMap()) {
    throw BadInput(source + ": no model; expected the keys name, image and layers");
  }
  check_keys(root, "", source);
  static const std::vector<std::string> kKeys = {"name", "image", "parameters", "blocks", "layers", "base"};
  for (const auto& entry : root) {
    const std::string& key = entry.first.Scalar();
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      throw BadInput(concat(place(source, entry.first), ": unknown key ", quote_for_message(key),
                            name_hint(key, kKeys)));
    }
  }
  return root;
}

/// Writes the layers of a file down, one after the other.
class ModelReader {
 public:
  ModelReader(YAML::Node root, std::string source, int classes)
      : root_(std::move(root)), source_(std::move(source)), classes_(classes) {
    if (root_["blocks"]) {
      check_blocks();
    }
  }

  void read(const Parameters& parameters) {
    Scope scope = {{kInput, 0}};
    read_list(root_["layers"], "layers", "", parameters, scope);
    if (model_.nodes.empty()) {
      throw BadInput(concat(source_, ": 'layers': expected a list of layers such as [relu]"));
    }
  }

  ModelDescription model_;
  std::string text_;  ///< of the layers, flat

 private:
  void check_blocks() {
    const YAML::Node blocks = root_["blocks"];
    if (!blocks.IsMap()) {
      throw BadInput(place(source_, blocks) + ": 'blocks': expected lists of layers by name");
    }
    check_keys(blocks, "blocks", source_);
    for (const auto& entry : blocks) {
      value_of(LabelDomain{}, entry.first, "blocks", place(source_, entry.first));
      if (find_kind(entry.first.Scalar()) != nullptr) {
        throw BadInput(concat(place(source_, entry.first), ": 'blocks': '", entry.first.Scalar(),
                              "' is an operation; expected another name"));
      }
    }
  }

  static const ops::Kind* find_kind(const std::string& name) {
    const auto kind = std::find_if(ops::kKinds.begin(), ops::kKinds.end(),
                                   [&](const ops::Kind& k) { return k.name == name; });
    return kind == ops::kKinds.end() ? nullptr : &*kind;
  }

  [[noreturn]] void refuse_kind(const ModelItem& item) const {
    std::vector<std::string> known;
    for (const ops::Kind& kind : ops::kKinds) {
      known.emplace_back(kind.name);
    }
    for (const auto& entry : root_["blocks"]) {
      known.push_back(entry.first.Scalar());
    }
    throw BadInput(concat(item.where, ": unknown operation or block ", quote_for_message(item.kind),
                          name_hint(item.kind, known)));
  }

  void read_list(const YAML::Node& list, const std::string& key, const std::string& prefix,
                 const Parameters& parameters, Scope& scope) {
    if (!list || !list.IsSequence()) {
      throw BadInput(
          concat(list ? place(source_, list) : source_, ": '", key, "': expected a list of layers"));
    }
    for (const YAML::Node& node : list) {
      const ModelItem item = item_of(node, source_);
      ItemOptions options(item, parameters, classes_);
      const ops::Kind* const kind = find_kind(item.kind);
      if (kind != nullptr) {
        add_operation(*kind, item, options, prefix, scope);
      } else {
        add_block(item, options, prefix, scope);
      }
    }
  }

  /// The values that an item reads; the one before it where it names none.
  std::vector<int> inputs_of(const ModelItem& item, ItemOptions& options, const Scope& scope) {
    std::vector<int> inputs;
    for (const std::string& name : options.sources()) {
      const auto value = scope.find(name);
      if (value == scope.end()) {
        std::vector<std::string> known;
        std::transform(scope.begin(), scope.end(), std::back_inserter(known),
                       [](const auto& entry) { return entry.first; });
        const bool is_short = known.size() <= kMostNames;
        throw BadInput(concat(item.where, ": 'from': no layer ", quote_for_message(name), " stands before",
                              is_short || nearest(name, known) ? name_hint(name, known) : ""));
      }
      inputs.push_back(value->second);
    }
    if (inputs.empty()) {
      inputs.push_back(current_);
    }
    return inputs;
  }

  void add_operation(const ops::Kind& kind, const ModelItem& item, ItemOptions& options,
                     const std::string& prefix, Scope& scope) {
    if (model_.nodes.size() == kMostNodes) {
      throw BadInput(concat(item.where, ": more than ", kMostNodes, " layers"));
    }
    LayerNode node;
    const std::string label = options.label("name", "");
    node.name = label.empty() ? concat(item.kind, model_.nodes.size() + 1) : prefix + label;
    node.place = item.where;
    if (node.name.size() > kLongestName) {
      throw BadInput(concat(item.where, ": the name ", quote_for_message(node.name), " is longer than ",
                            kLongestName, " letters, with those of the blocks"));
    }
    node.inputs = inputs_of(item, options, scope);
    node.is_optional = options.flag("optional", false);
    node.operation = kind.read(options);
    options.refuse_others();
    const std::size_t wanted = node.operation->is_sum() ? 2 : 1;
    if (node.inputs.size() != wanted) {
      throw BadInput(concat(item.where, ": '", item.kind, "': reads ", node.inputs.size(),
                            " layers; expected ", wanted == 2 ? "two, such as from: [a, b]" : "one"));
    }
    text_ += concat("  - ", item.kind, ": {name: ", format_name(node.name), ", from: [",
                    names_of(node.inputs), ']', options.text(), "}\n");
    if (text_.size() > kLongestText) {
      throw BadInput(
          concat(item.where, ": a model that is longer than ", kLongestText, " bytes without its blocks"));
    }
    add_name(label.empty() ? node.name : label, static_cast<int>(model_.nodes.size()) + 1, item, scope);
    model_.nodes.push_back(std::move(node));
    current_ = static_cast<int>(model_.nodes.size());
  }

  void add_block(const ModelItem& item, ItemOptions& options, const std::string& prefix, Scope& scope) {
    const YAML::Node list =
        root_["blocks"] ? root_["blocks"][item.kind] : YAML::Node(YAML::NodeType::Undefined);
    if (!list) {
      refuse_kind(item);
    }
    if (++depth_ > kMostBlocks) {
      throw BadInput(concat(item.where, ": block '", item.kind, "': more than ", kMostBlocks,
                            " blocks within each other"));
    }
    const std::vector<int> inputs = inputs_of(item, options, scope);
    if (inputs.size() != 1) {
      throw BadInput(
          concat(item.where, ": block '", item.kind, "': reads ", inputs.size(), " layers; expected one"));
    }
    current_ = inputs.front();
    const std::string name = options.label("name", concat(item.kind, model_.nodes.size() + 1));
    const int count = options.count("repeat", -1);
    const int first = options.count("first", 1);
    const Parameters parameters = options.others();
    for (int i = 0; i < std::max(count, count < 0 ? 1 : 0); ++i) {
      if (++blocks_ > kMostNodes) {
        throw BadInput(concat(item.where, ": more than ", kMostNodes, " blocks"));
      }
      const std::string instance = count < 0 ? name : concat(name, first + i);
      Scope inner = {{kInput, current_}};
      read_list(list, item.kind, concat(prefix, instance, '.'), parameters, inner);
      add_name(instance, current_, item, scope);
    }
    if (count != 0) {
      refuse_unread(parameters, concat("block '", item.kind, "'"));
    }
    --depth_;
  }

  static void add_name(const std::string& name, int value, const ModelItem& item, Scope& scope) {
    if (!scope.emplace(name, value).second) {
      throw BadInput(concat(item.where, ": two layers are called ", quote_for_message(name)));
    }
  }

  std::string names_of(const std::vector<int>& values) const {
    std::vector<std::string> names;
    for (const int value : values) {
      names.push_back(value == 0 ? kInput
                                 : format_name(model_.nodes[static_cast<std::size_t>(value - 1)].name));
    }
    return join_names(names);
  }

  YAML::Node root_;
  std::string source_;
  int classes_;
  int current_ = 0;
  std::size_t depth_ = 0;
  std::size_t blocks_ = 0;
};

Parameters parameters_of(const YAML::Node& root, const std::string& source) {
  Parameters parameters;
  const YAML::Node node = root["parameters"];
  if (!node) {
    return parameters;
  }
  if (!node.IsMap()) {
    throw BadInput(place(source, node) + ": 'parameters': expected a mapping such as {channels: 16}");
  }
  check_keys(node, "parameters", source);
  for (const auto& entry : node) {
    const bool is_taken = entry.first.Scalar() == kClasses;
    if (!entry.second.IsScalar() || entry.second.Scalar().starts_with('$') || is_taken) {
      throw BadInput(concat(place(source, entry.first), ": 'parameters': '", entry.first.Scalar(),
                            "': expected a name and a value such as channels: 16"));
    }
    parameters.values[entry.first.Scalar()] = {entry.second, place(source, entry.first)};
  }
  return parameters;
}

Shape image_of(const YAML::Node& root, const std::string& source) {
  const YAML::Node node = root["image"];
  if (!node || !node.IsSequence() || node.size() != 3) {
    throw BadInput(concat(node ? place(source, node) : source,
                          ": 'image': expected channels, height and width such as [3, 32, 32]"));
  }
  const auto side = [&](std::size_t i) {
    return static_cast<int>(value_of(IntegerDomain{1, kLargestSide}, node[i], "image", place(source, node)));
  };
  return {1, side(0), side(1), side(2)};
}

std::string name_of(const YAML::Node& root, const std::string& source) {
  const YAML::Node node = root["name"];
  if (!node) {
    throw BadInput(source + ": 'name' is missing; expected the model's name");
  }
  return value_of(LabelDomain{}, node, "name", place(source, node));
}

struct Read {
  ModelDescription model;
  std::string text;
};

Read read_file(const std::string& text, const std::string& source, int classes) {
  const YAML::Node root = parse_model(text, source);
  const std::string name = name_of(root, source);
  Parameters parameters = parameters_of(root, source);
  YAML::Node layers;
  layers.reset(root);  // not an assignment, which would write to the root
  std::string layers_source = source;
  if (const YAML::Node base = root["base"]; base) {
    const std::string where = place(source, base);
    const std::string shipped = value_of(ChoiceDomain{model_names()}, base, "base", where);
    layers_source = "model " + shipped;
    layers.reset(parse_model(shipped_model(shipped), layers_source));
    if (root["layers"] || root["blocks"] || root["image"] || layers["base"]) {
      throw BadInput(where + ": 'base': a model that stands on another has a name and parameters only");
    }
    Parameters shipped_parameters = parameters_of(layers, layers_source);
    for (const auto& [key, value] : parameters.values) {
      shipped_parameters.values[key] = value;
    }
    parameters = shipped_parameters;
  }
  ModelReader reader(layers, layers_source, classes);
  reader.read(parameters);
  refuse_unread(parameters, "model");
  Read result = {std::move(reader.model_), {}};
  result.model.name = name;
  const Shape image = result.model.image = image_of(layers, layers_source);
  result.text = concat("name: ", format_name(name), "\nimage: [", image.c, ", ", image.h, ", ", image.w,
                       "]\nlayers:\n", reader.text_);
  return result;
}

}  // namespace

ModelDescription read_model(const std::string& text, const std::string& source, int classes) {
  return read_file(text, source, classes).model;
}

std::string flat_text(const std::string& text, const std::string& source) {
  return read_file(text, source, /*classes=*/2).text;
}

}  // namespace adapt
