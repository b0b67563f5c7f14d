#include "experiment/configuration.hpp"

#include <cctype>
#include <span>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/sha256.hpp"
#include "experiment/reader.hpp"
#include "experiment/settings.hpp"
#include "record/layout.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

/// "training.schedule" of "training.schedule.factor"; "" of "seed".
std::string section_of(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string last_part(const std::string& key) { return key.substr(key.rfind('.') + 1); }

std::string indent_of(const std::string& key) {
  std::string indent;
  for (const char c : key) {
    indent += c == '.' ? "  " : "";
  }
  return indent;
}

/// Whether `key` is `section` or lies in it.
bool within(const std::string& key, const std::string& section) {
  return key == section || key.starts_with(section + ".");
}

/// Writes the whole configuration; with `names` each key is preceded by a comment.
std::string write_yaml(const Configuration& configuration, const KnownNames* names) {
  std::string text;
  std::string last;
  for (const Setting& setting : settings()) {
    for (const Section& section : sections()) {
      const bool opens = within(setting.key, section.key) && !within(last, section.key);
      if (opens) {
        const std::string indent = indent_of(section.key);
        text += names != nullptr ? "\n" + indent + "# " + section.doc + "\n" : "";
        text += indent + last_part(section.key) + ":\n";
      }
    }
    if (!is_written(setting, configuration)) {
      continue;
    }
    const std::string indent = indent_of(setting.key);
    if (names != nullptr) {
      text += indent + "# " + setting.doc + ": " + setting.describe(*names) + "\n";
    }
    text += indent + last_part(setting.key) + ": " + setting.write(configuration) + "\n";
    last = section_of(setting.key);
  }
  return text;
}

/// Every key that counts for the identity, with its value.
std::string identity_text(const Configuration& configuration) {
  std::string text;
  for (const Setting& setting : settings()) {
    if (identifies(setting, configuration)) {
      text += setting.key + ": " + identifying_value(setting, configuration) + "\n";
    }
  }
  return text;
}

std::string digest(const std::string& text) { return sha256(std::as_bytes(std::span(text))); }

}  // namespace

Configuration load_configuration(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                                 const KnownNames& names) {
  ConfigurationReader reader(names);
  reader.read_file(path);
  return reader.finish(path.string(), overrides);
}

Configuration parse_configuration(const std::string& text, const std::string& source,
                                  const std::vector<std::string>& overrides, const KnownNames& names) {
  ConfigurationReader reader(names);
  reader.read_text(text, source);
  return reader.finish(source, overrides);
}

std::string resolved_yaml(const Configuration& configuration) { return write_yaml(configuration, nullptr); }

std::vector<std::pair<std::string, std::string>> json_values(const Configuration& configuration) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const Setting& setting : settings()) {
    const std::string text = setting.write(configuration);
    // What the domains write is JSON already, but for texts.
    const bool is_word = std::isalpha(static_cast<unsigned char>(text[0])) != 0;
    const bool is_text = is_word ? text != "true" && text != "false" : text[0] == '"';
    values.emplace_back(setting.key,
                        is_text ? json_line(parse_yaml_value(text, setting.key).Scalar()) : text);
  }
  return values;
}

std::string configuration_reference(const KnownNames& names) {
  return "# Every key of an experiment file with its default. A file names only what differs.\n"
         "# base: other.yaml puts the file on top of another one (path relative to the file); base: [a.yaml, "
         "b.yaml] on top\n"
         "# of several, where the later ones win.\n"
         "# A plain value stands for the name of a section: \"engine: emulated\", \"precision: adapt\".\n\n" +
         write_yaml(Configuration(), &names);
}

std::string run_identity(const Configuration& configuration) { return digest(identity_text(configuration)); }

std::string store_identity(const Configuration& configuration) {
  constexpr std::size_t kDigits = 16;
  const std::string text =
      concat("format_version: ", layout::kFormatVersion, "\n", identity_text(configuration));
  return digest(text).substr(0, kDigits);
}

std::string identity_difference(const Configuration& a, const Configuration& b) {
  for (const Setting& setting : settings()) {
    const std::string of_a = identifying_value(setting, a);
    const std::string of_b = identifying_value(setting, b);
    if ((setting.identifies || identifies(setting, a)) && of_a != of_b) {
      return concat(setting.key, ": ", of_a, " against ", of_b);
    }
  }
  return "";
}

}  // namespace adapt
