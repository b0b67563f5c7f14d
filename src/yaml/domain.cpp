#include "yaml/domain.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "base/terminal.hpp"

namespace adapt {
namespace {

constexpr std::size_t kLongestLabel = 100;
constexpr std::size_t kLongestPath = 4096;
constexpr std::size_t kLongestList = 1000;
constexpr std::size_t kLongestQuote = 60;

/// What yaml-cpp calls the tag of a scalar without and with quotes.
constexpr std::string_view kPlainTag = "?";
constexpr std::string_view kQuotedTag = "!";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_plain(const YAML::Node& node) { return node.IsScalar() && node.Tag() == kPlainTag; }

bool is_text(const YAML::Node& node) {
  return is_plain(node) || (node.IsScalar() && node.Tag() == kQuotedTag);
}

std::string found(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      if (is_plain(node)) {
        return quote_for_message(node.Scalar());
      }
      return (node.Tag() == kQuotedTag ? "the text " : "a tagged value ") + quote_for_message(node.Scalar());
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "a mapping";
    default:
      return "nothing";
  }
}

[[noreturn]] void refuse(const std::string& expected, const YAML::Node& node) {
  throw BadInput(concat("expected ", expected, ", found ", found(node)));
}

/// Reads all of `text` as a T, else nothing.
template <class T>
std::optional<T> from_text(std::string_view text) {
  T value = {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> decimal_integer(const YAML::Node& node) {
  if (!is_plain(node)) {
    return std::nullopt;
  }
  std::string_view digits = node.Scalar();
  digits.remove_prefix(digits.starts_with('-') ? 1 : 0);
  // 017 is fifteen to some YAML readers and seventeen to others.
  const bool ambiguous = digits.size() > 1 && digits.front() == '0';
  return ambiguous ? std::nullopt : from_text<std::int64_t>(node.Scalar());
}

std::optional<double> decimal_number(const YAML::Node& node) {
  // from_chars knows "inf" and "nan" too, and gives nothing when the number is too large or too small.
  if (!is_plain(node) || node.Scalar().find_first_not_of("0123456789+-.eE") != std::string::npos) {
    return std::nullopt;
  }
  return from_text<double>(node.Scalar());
}

std::string parse_name(const YAML::Node& node, const std::vector<std::string>& known) {
  if (!is_text(node)) {
    refuse("one of " + join_names(known), node);
  }
  const std::string& name = node.Scalar();
  if (std::find(known.begin(), known.end(), name) != known.end()) {
    return name;
  }
  const auto candidate = nearest(name, known);
  throw BadInput(concat("expected one of ", join_names(known), "; found ", quote_for_message(name),
                        candidate ? "; did you mean '" + *candidate + "'?" : ""));
}

}  // namespace

std::string format_name(const std::string& text) {
  static const std::vector<std::string> kSpecial = {"true", "false", "yes",  "no",  "on", "off",
                                                    "y",    "n",     "null", "inf", "nan"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const bool name_like = !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
                         is_letter_or_digit(text[0]) && std::all_of(text.begin(), text.end(), [](char c) {
                           return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.' || c == '/';
                         });
  if (name_like && std::find(kSpecial.begin(), kSpecial.end(), lower) == kSpecial.end()) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + '"';
}

std::string one_line(const std::string& text) {
  std::string line = text.substr(0, kLongestQuote);
  if (line.size() < text.size()) {
    // Does not end in the middle of a UTF-8 character.
    while (!line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xC0U) == 0x80U) {
      line.pop_back();
    }
    line += "...";
  }
  return printable_line(line);
}

std::string quote_for_message(const std::string& text) { return concat("'", one_line(text), "'"); }

std::int64_t IntegerDomain::parse(const YAML::Node& node) const {
  const auto value = decimal_integer(node);
  if (!value || *value < low || *value > high) {
    refuse(describe(), node);
  }
  return *value;
}

std::string IntegerDomain::format(std::int64_t value) { return std::to_string(value); }

std::string IntegerDomain::describe() const { return concat("an integer from ", low, " to ", high); }

double NumberDomain::parse(const YAML::Node& node) const {
  const auto value = decimal_number(node);
  const bool open_low = ends == Ends::open_low || ends == Ends::open;
  const bool open_high = ends == Ends::open_high || ends == Ends::open;
  const bool inside =
      value && (open_low ? *value > low : *value >= low) && (open_high ? *value < high : *value <= high);
  if (!inside) {
    refuse(describe(), node);
  }
  return *value == 0 ? 0.0 : *value;  // -0 is written as 0
}

std::string NumberDomain::format(double value) {
  std::array<char, 32> buffer = {};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  if (error != std::errc() || !std::isfinite(value)) {
    throw Failure(concat("cannot write the number ", value));
  }
  std::string text(buffer.data(), end);
  // YAML 1.1 readers take 1e-08 as text; 1.0e-08 is a number to all.
  const std::size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) {
    text.insert(exponent, ".0");
  }
  return text;
}

std::string NumberDomain::describe() const {
  const bool open_low = ends == Ends::open_low || ends == Ends::open;
  const bool open_high = ends == Ends::open_high || ends == Ends::open;
  return concat("a number ", open_low ? "above " : "from ", low, open_high ? " to below " : " to ", high);
}

bool BooleanDomain::parse(const YAML::Node& node) {
  const std::string text = is_plain(node) ? node.Scalar() : "";
  if (text == "true" || text == "yes") {
    return true;
  }
  if (text != "false" && text != "no") {
    refuse(describe(), node);
  }
  return false;
}

std::string BooleanDomain::format(bool value) { return value ? "true" : "false"; }

std::string BooleanDomain::describe() { return "true or false"; }

std::string ChoiceDomain::parse(const YAML::Node& node) const { return parse_name(node, choices); }

std::string ChoiceDomain::format(const std::string& value) { return format_name(value); }

std::string ChoiceDomain::describe() const { return "one of " + join_names(choices); }

std::string PathDomain::parse(const YAML::Node& node) {
  const bool one_line = is_text(node) && std::none_of(node.Scalar().begin(), node.Scalar().end(), [](char c) {
                          return static_cast<unsigned char>(c) < ' ';
                        });
  if (!one_line || node.Scalar().size() > kLongestPath) {
    refuse(describe(), node);
  }
  return node.Scalar();
}

std::string PathDomain::format(const std::string& value) { return format_name(value); }

std::string PathDomain::describe() { return "a path (\"\" for an empty one)"; }

std::string TextDomain::parse(const YAML::Node& node) {
  if (!is_text(node)) {
    refuse(describe(), node);
  }
  return node.Scalar();
}

std::string TextDomain::format(const std::string& value) { return format_name(value); }

std::string TextDomain::describe() { return "a text"; }

std::string LabelDomain::parse(const YAML::Node& node) {
  std::string text = is_text(node) ? node.Scalar() : "";
  const bool good = !text.empty() && text.size() <= kLongestLabel && is_letter_or_digit(text[0]) &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
                    });
  if (!good) {
    refuse(describe(), node);
  }
  return text;
}

std::string LabelDomain::format(const std::string& value) { return format_name(value); }

std::string LabelDomain::describe() {
  return concat("a name of at most ", kLongestLabel, " letters, digits, '.', '_' and '-'");
}

std::vector<int> AscendingDomain::parse(const YAML::Node& node) const {
  if (!node.IsSequence() || node.size() > kLongestList) {
    refuse(describe(), node);
  }
  std::vector<int> values;
  for (const YAML::Node& element : node) {
    const auto value = decimal_integer(element);
    const int above = values.empty() ? low - 1 : values.back();
    if (!value || *value <= above || *value > high) {
      refuse(describe(), element);
    }
    values.push_back(static_cast<int>(*value));
  }
  return values;
}

std::string AscendingDomain::format(const std::vector<int>& value) {
  std::string text;
  for (const int element : value) {
    text += (text.empty() ? "" : ", ") + std::to_string(element);
  }
  return "[" + text + "]";
}

std::string AscendingDomain::describe() const {
  return concat("a list of ascending integers from ", low, " to ", high, " such as [10, 15]");
}

}  // namespace adapt
