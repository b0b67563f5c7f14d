#include "base/json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "base/error.hpp"

namespace adapt {
namespace {

std::string escaped(char character) {
  switch (character) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(character);
  if (code >= 0x20) {
    return {character};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'\\', 'u', '0', '0', kDigits[code / 16U], kDigits[code % 16U]};
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char character : text) {
    result += escaped(character);
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
