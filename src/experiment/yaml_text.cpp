#include "experiment/yaml_text.hpp"

#include <yaml-cpp/depthguard.h>

#include <functional>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace adapt {
namespace {

constexpr std::uintmax_t kLargestFile = 1U << 20U;

/// Length of the UTF-8 character (RFC 3629) at the start of `text`, or 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80U) {
    return 1;
  }
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  const bool wrong = first < 0xC2U || first > 0xF4U || (first == 0xE0U && byte(1) < 0xA0U) ||
                     (first == 0xEDU && byte(1) > 0x9FU) || (first == 0xF0U && byte(1) < 0x90U) ||
                     (first == 0xF4U && byte(1) > 0x8FU);
  return wrong ? 0 : length;
}

bool is_text_control(char c) { return c == '\n' || c == '\t' || c == '\r'; }

/// The start of a message about a line, counted from 1.
using PlaceOfLine = std::function<std::string(int line)>;

/// Refuses bytes that no YAML text has.
void check_characters(const std::string& text, const PlaceOfLine& where) {
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = utf8_length(std::string_view(text).substr(at, 4));
    const bool control = static_cast<unsigned char>(c) < ' ' && !is_text_control(c);
    if (length == 0 || control) {
      throw BadInput(concat(where(line), ": byte ", at, " is ", control ? "a control character" : "not UTF-8",
                            "; expected a YAML text file"));
    }
    line += c == '\n' ? 1 : 0;
    at += length;
  }
}

YAML::Node parse(const std::string& text, const PlaceOfLine& where) {
  check_characters(text, where);
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(text);
  } catch (const YAML::DeepRecursion& error) {
    throw BadInput(where(error.mark.line + 1) + ": nested too deeply; expected at most three levels");
  } catch (const YAML::Exception& error) {
    throw BadInput(concat(where(error.mark.line + 1), ": not valid YAML: ", error.msg, " (column ",
                          error.mark.column + 1, ")"));
  }
  if (documents.size() > 1) {
    throw BadInput(where(documents[1].Mark().line + 1) +
                   ": a second YAML document starts here; expected one");
  }
  return documents.empty() ? YAML::Node() : documents.front();
}

}  // namespace

std::string read_yaml_file(const std::filesystem::path& path) {
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  const bool exists = std::filesystem::exists(path, error);
  if (exists && !regular) {
    // Checked before opening: opening a named pipe would wait for ever.
    throw BadInput(concat("cannot read ", path.string(), ": not a regular file; expected a YAML file"));
  }
  const std::uintmax_t size = regular ? std::filesystem::file_size(path, error) : 0;
  if (!error && size > kLargestFile) {
    throw BadInput(concat("cannot read ", path.string(), ": ", size,
                          " bytes; expected a YAML file of at most ", kLargestFile, " bytes"));
  }
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

YAML::Node parse_yaml(const std::string& text, const std::string& source) {
  return parse(text, [&](int line) { return concat(source, ":", line); });
}

YAML::Node parse_yaml_value(const std::string& text, const std::string& where) {
  return parse(text, [&](int /*line*/) { return where; });
}

std::string place(const std::string& source, const YAML::Node& node) {
  return concat(source, ":", node.Mark().line + 1);
}

}  // namespace adapt
