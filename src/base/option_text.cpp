#include "base/option_text.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/error.hpp"
#include "base/suggest.hpp"

namespace adapt {
namespace {

/// The whole of `text` as a number; false if it is none.
template <class Number>
bool read(const std::string& text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words = {""};
  for (const char character : text) {
    if (character == ',') {
      words.emplace_back();
    } else {
      words.back() += character;
    }
  }
  return words;
}

void check_name(const std::string& option, const std::string& word, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), word) == known.end()) {
    throw BadInput(concat("--", option, ": unknown name '", word, "'", name_hint(word, known)));
  }
}

}  // namespace

std::int64_t option_integer(const std::string& option, const std::string& text, std::int64_t low,
                            std::int64_t high) {
  std::int64_t value = 0;
  if (!read(text, value) || value < low || value > high) {
    throw BadInput(
        concat("--", option, ": expected an integer from ", low, " to ", high, ", found '", text, "'"));
  }
  return value;
}

std::vector<std::int64_t> option_integers(const std::string& option, const std::string& text,
                                          std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> values;
  for (const std::string& word : split(text)) {
    values.push_back(option_integer(option, word, low, high));
  }
  return values;
}

double option_positive(const std::string& option, const std::string& text, double high) {
  double value = 0;
  if (!read(text, value) || !(value > 0 && value <= high)) {
    throw BadInput(
        concat("--", option, ": expected a number above 0, at most ", high, ", found '", text, "'"));
  }
  return value;
}

std::vector<std::string> option_names(const std::string& option, const std::string& text,
                                      const std::vector<std::string>& known) {
  std::vector<std::string> words = split(text);
  for (const std::string& word : words) {
    check_name(option, word, known);
  }
  return words;
}

std::vector<std::string> option_distinct_names(const std::string& option, const std::string& text,
                                               const std::vector<std::string>& known) {
  std::vector<std::string> words = option_names(option, text, known);
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (std::find(words.begin(), word, *word) != word) {
      throw BadInput(concat("--", option, ": '", *word, "' stands there twice"));
    }
  }
  return words;
}

std::string option_name(const std::string& option, const std::string& text,
                        const std::vector<std::string>& known) {
  check_name(option, text, known);
  return text;
}

}  // namespace adapt
