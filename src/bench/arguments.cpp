#include "bench/arguments.hpp"

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

/// `word` of the option `name` as an integer low..high.
std::int64_t read_integer(const std::string& name, const std::string& word, std::int64_t low,
                          std::int64_t high) {
  std::int64_t value = 0;
  if (!read(word, value) || value < low || value > high) {
    throw BadInput(
        concat("--", name, ": expected an integer from ", low, " to ", high, ", found '", word, "'"));
  }
  return value;
}

}  // namespace

const std::string& BenchArguments::text(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw Failure(concat("the benchmark has no option --", name));
  }
  return found->second;
}

std::int64_t BenchArguments::integer(const std::string& name, std::int64_t low, std::int64_t high) const {
  return read_integer(name, text(name), low, high);
}

std::vector<std::int64_t> BenchArguments::integers(const std::string& name, std::int64_t low,
                                                   std::int64_t high) const {
  std::vector<std::int64_t> values;
  for (const std::string& word : split(text(name))) {
    values.push_back(read_integer(name, word, low, high));
  }
  return values;
}

double BenchArguments::positive(const std::string& name, double high) const {
  double value = 0;
  if (!read(text(name), value) || !(value > 0 && value <= high)) {
    throw BadInput(
        concat("--", name, ": expected a number above 0, at most ", high, ", found '", text(name), "'"));
  }
  return value;
}

std::vector<std::string> BenchArguments::list(const std::string& name,
                                              const std::vector<std::string>& known) const {
  std::vector<std::string> words = split(text(name));
  for (const std::string& word : words) {
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      throw BadInput(concat("--", name, ": unknown name '", word, "'", name_hint(word, known)));
    }
  }
  return words;
}

std::vector<std::string> BenchArguments::names(const std::string& name,
                                               const std::vector<std::string>& known) const {
  std::vector<std::string> words = list(name, known);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), words[i]) !=
        words.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw BadInput(concat("--", name, ": '", words[i], "' stands there twice"));
    }
  }
  return words;
}

TimingOptions BenchArguments::timing() const {
  return {static_cast<int>(integer("repeats", 1, 1000)), positive("seconds", 3600)};
}

std::vector<BenchOption> with_timing_options(std::vector<BenchOption> options, const std::string& seconds) {
  options.push_back({"repeats", "7", "repetitions of each contender, in turn; medians are reported"});
  options.push_back({"seconds", seconds, "about so long takes one repetition"});
  return options;
}

}  // namespace adapt
