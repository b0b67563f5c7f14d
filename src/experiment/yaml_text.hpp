#pragma once

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <string>

namespace adapt {

/// Reads an experiment file. Throws BadInput: missing, not a regular file, unreadable, larger than 1 MiB.
std::string read_yaml_file(const std::filesystem::path& path);

/// Parses one YAML document. `source` names it in messages. Throws BadInput with line: not UTF-8, control
/// characters, a syntax error, nested too deeply, more than one document. No document gives a null node.
YAML::Node parse_yaml(const std::string& text, const std::string& source);

/// The same for a value of the command line; `where` starts the messages.
YAML::Node parse_yaml_value(const std::string& text, const std::string& where);

/// "FILE:LINE" of a node.
std::string place(const std::string& source, const YAML::Node& node);

}  // namespace adapt
