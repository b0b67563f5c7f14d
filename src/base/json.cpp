#include "base/json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/error.hpp"
#include "base/terminal.hpp"

namespace adapt {
namespace {

std::string escaped(std::uint32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) {
    text += kDigits[unit >> shift & 0xFU];
  }
  return text;
}

/// What is not printable, as JSON spells it.
std::string escaped(const Character& character) {
  if (!character.is_utf8) {
    return "\xEF\xBF\xBD";  // U+FFFD: JSON has no way to write a byte that is no UTF-8
  }
  if (character.code == '\n' || character.code == '\t') {
    return character.code == '\n' ? "\\n" : "\\t";
  }
  if (character.code <= 0xFFFFU) {
    return escaped(character.code);
  }
  const std::uint32_t above = character.code - 0x10000U;
  return escaped(0xD800U + (above >> 10U)) + escaped(0xDC00U + (above & 0x3FFU));
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const Character character = first_character(text);
    if (text.front() == '"' || text.front() == '\\') {
      result += '\\';
    }
    if (character.is_printable) {
      result += text.substr(0, character.length);
    } else {
      result += escaped(character);
    }
    text.remove_prefix(character.length);
  }
  return result + "\"";
}

std::string json_number(double value) {
  if (!std::isfinite(value)) {
    return "null";
  }
  std::array<char, 32> digits = {};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

JsonWriter& JsonWriter::key(std::string_view name) {
  if (levels_.empty() || levels_.back().end != '}' || levels_.back().has_key) {
    throw Failure(concat("JSON: no place for the key '", name, "'"));
  }
  begin_item();
  text_ += json_string(name) + ": ";
  levels_.back().has_key = true;
  return *this;
}

std::string JsonWriter::text() const {
  if (!levels_.empty() || text_.empty()) {
    throw Failure("JSON: the text is not complete");
  }
  return text_ + "\n";
}

JsonWriter& JsonWriter::open(char begin, char end) {
  put(std::string(1, begin));
  levels_.push_back({end});
  return *this;
}

JsonWriter& JsonWriter::close(char end) {
  if (levels_.empty() || levels_.back().end != end || levels_.back().has_key) {
    throw Failure(concat("JSON: no place for '", end, "'"));
  }
  const bool empty = levels_.back().empty;
  levels_.pop_back();
  if (!empty) {
    new_line();
  }
  text_ += end;
  return *this;
}

JsonWriter& JsonWriter::put(const std::string& token) {
  const bool in_object = !levels_.empty() && levels_.back().end == '}';
  if (in_object != (!levels_.empty() && levels_.back().has_key) || (levels_.empty() && !text_.empty())) {
    throw Failure(concat("JSON: no place for ", token));
  }
  if (in_object) {
    levels_.back().has_key = false;
  } else if (!levels_.empty()) {
    begin_item();
  }
  text_ += token;
  return *this;
}

void JsonWriter::begin_item() {
  if (!levels_.back().empty) {
    text_ += ",";
  }
  levels_.back().empty = false;
  new_line();
}

void JsonWriter::new_line() {
  text_ += '\n';
  text_.append(2 * levels_.size(), ' ');
}

}  // namespace adapt
