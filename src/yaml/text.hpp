#pragma once

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <string>

namespace adapt {

/// Reads an experiment file. Throws BadInput: missing, not a regular file, unreadable, larger than 1 MiB.
std::string read_yaml_file(const std::filesystem::path& path);

/// Parses one YAML document. `source` names it in messages. Throws BadInput with line: not UTF-8, control
/// characters, a syntax error, nested too deeply, more than one document, an alias that contains itself, more
/// than 100,000 values when aliases are written out. No document gives a null node.
YAML::Node parse_yaml(const std::string& text, const std::string& source);

/// The same for a value of the command line; `where` starts the messages.
YAML::Node parse_yaml_value(const std::string& text, const std::string& where);

/// Throws BadInput unless `root`, the whole of a file, is a mapping.
void check_root(const YAML::Node& root, const std::string& source);

/// Throws BadInput unless the keys of `mapping` are plain words, each there once. `section` is the key that
/// the mapping stands under, or empty.
void check_keys(const YAML::Node& mapping, const std::string& section, const std::string& source);

/// "training.epochs" from "training" and "epochs"; "epochs" from "" and "epochs".
std::string joined_key(const std::string& section, const std::string& key);

/// "FILE:LINE" of a node.
std::string place(const std::string& source, const YAML::Node& node);

}  // namespace adapt
