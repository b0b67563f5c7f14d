#include "base/json_value.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/error.hpp"
#include "base/json.hpp"

namespace adapt {
namespace {

constexpr int kDeepest = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80U) {
    put(code);
  } else if (code < 0x800U) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000U) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

/// Recursive descent over a text.
class Parser {
 public:
  Parser(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  JsonValue whole() {
    JsonValue result = value(0);
    skip_blanks();
    if (at_ != text_.size()) {
      refuse("the end");
    }
    return result;
  }

 private:
  [[noreturn]] void refuse(const char* expected) const {
    throw BadInput(concat(source_, ": not valid JSON at byte ", at_, "; expected ", expected));
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') {
      ++at_;
    }
  }

  bool take(char c) {
    skip_blanks();
    if (peek() != c) {
      return false;
    }
    ++at_;
    return true;
  }

  JsonValue value(int depth) {
    if (depth > kDeepest) {
      refuse("fewer levels");
    }
    skip_blanks();
    const char first = peek();
    if (first == '{') {
      return object(depth);
    }
    if (first == '[') {
      return array(depth);
    }
    if (first == '"') {
      return {JsonValue::Kind::string, string(), {}, {}};
    }
    if (first == '-' || is_digit(first)) {
      return number();
    }
    return word();
  }

  JsonValue object(int depth) {
    JsonValue result{JsonValue::Kind::object, "", {}, {}};
    take('{');
    if (take('}')) {
      return result;
    }
    do {
      skip_blanks();
      if (peek() != '"') {
        refuse("a name in quotes");
      }
      result.names.push_back(string());
      if (!take(':')) {
        refuse("':'");
      }
      result.items.push_back(value(depth + 1));
    } while (take(','));
    if (!take('}')) {
      refuse("',' or '}'");
    }
    return result;
  }

  JsonValue array(int depth) {
    JsonValue result{JsonValue::Kind::array, "", {}, {}};
    take('[');
    if (take(']')) {
      return result;
    }
    do {
      result.items.push_back(value(depth + 1));
    } while (take(','));
    if (!take(']')) {
      refuse("',' or ']'");
    }
    return result;
  }

  JsonValue number() {
    const std::size_t start = at_;
    double ignored = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, ignored);
    const std::size_t length = static_cast<std::size_t>(stop - text_.data()) - start;
    const std::string_view digits = text_.substr(start, length);
    const std::string_view unsigned_digits = digits.substr(digits.starts_with('-') ? 1 : 0);
    const bool leading_zero =
        unsigned_digits.size() > 1 && unsigned_digits[0] == '0' && is_digit(unsigned_digits[1]);
    if (error == std::errc::invalid_argument || leading_zero || !is_digit(unsigned_digits[0])) {
      refuse("a number");
    }
    at_ += length;
    return {JsonValue::Kind::number, std::string(digits), {}, {}};
  }

  JsonValue word() {
    for (const std::string_view known : {"null", "true", "false"}) {
      if (text_.substr(at_).starts_with(known)) {
        at_ += known.size();
        return {
            known == "null" ? JsonValue::Kind::null : JsonValue::Kind::boolean, std::string(known), {}, {}};
      }
    }
    refuse("a value");
  }

  std::uint32_t code_unit() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (error != std::errc() || stop != digits.data() + 4) {
      refuse("four hexadecimal digits");
    }
    at_ += 4;
    return code;
  }

  /// The character that begins with the UTF-16 unit `first`; half of one becomes U+FFFD.
  std::uint32_t character(std::uint32_t first) {
    constexpr std::uint32_t kReplacement = 0xFFFD;
    if (first < 0xD800U || first >= 0xE000U) {
      return first;
    }
    const std::size_t before = at_;
    if (first < 0xDC00U && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const std::uint32_t second = code_unit();
      if (second >= 0xDC00U && second < 0xE000U) {
        return 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U);
      }
    }
    at_ = before;
    return kReplacement;
  }

  void escape(std::string& result) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = peek();
    const std::size_t known = kLetters.find(letter);
    ++at_;
    if (letter != '\0' && known != std::string_view::npos) {
      result += kMeanings[known];
      return;
    }
    if (letter != 'u') {
      refuse("an escape that JSON has");
    }
    append_utf8(result, character(code_unit()));
  }

  std::string string() {
    std::string result;
    ++at_;
    while (peek() != '"') {
      if (at_ >= text_.size() || static_cast<unsigned char>(peek()) < 0x20) {
        refuse("the end of a string");
      }
      const char c = text_[at_++];
      if (c == '\\') {
        escape(result);
      } else {
        result += c;
      }
    }
    ++at_;
    return result;
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
};

template <class Number>
std::optional<Number> to_number(const JsonValue* value) {
  Number number = 0;
  if (value == nullptr || value->kind != JsonValue::Kind::number) {
    return std::nullopt;
  }
  const char* end = value->text.data() + value->text.size();
  const auto [stop, error] = std::from_chars(value->text.data(), end, number);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &items[static_cast<std::size_t>(found - names.begin())];
}

std::string JsonValue::text_of(std::string_view name) const {
  const JsonValue* value = find(name);
  return value == nullptr || value->kind == Kind::null ? "" : value->text;
}

std::optional<double> JsonValue::number() const { return to_number<double>(this); }

std::optional<std::int64_t> JsonValue::integer_of(std::string_view name) const {
  return to_number<std::int64_t>(find(name));
}

std::string JsonValue::dump() const {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::string:
      return json_string(text);
    case Kind::boolean:
    case Kind::number:
      return text;
    case Kind::array:
    case Kind::object:
      break;
  }
  const bool members = kind == Kind::object;
  std::string result;
  for (std::size_t i = 0; i < items.size(); ++i) {
    result += (i == 0 ? "" : ", ") + (members ? json_string(names[i]) + ": " : "") + items[i].dump();
  }
  return members ? "{" + result + "}" : "[" + result + "]";
}

JsonValue parse_json(std::string_view text, const std::string& source) {
  return Parser(text, source).whole();
}

}  // namespace adapt
