#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"

namespace adapt {

// A domain is the set of values that a key accepts. Each has
//  - parse(node): the value; throws BadInput "expected <description>, found <what is there>";
//  - format(value): the value as YAML on one line, which parse() reads back exactly;
//  - describe(): "an integer from 1 to 8".
// YAML's old spellings are refused rather than guessed: 0x10, 017, 1_000, 1e2 for an integer, .inf, .nan, and
// numbers in quotes.

/// A name as a domain formats it: without quotes where every YAML reader takes it as text.
std::string format_name(const std::string& name);

/// Integers low..high.
struct IntegerDomain {
  std::int64_t low;
  std::int64_t high;

  std::int64_t parse(const YAML::Node& node) const;
  static std::string format(std::int64_t value);
  std::string describe() const;
};

/// Which ends of a range belong to it.
enum class Ends { closed, open_low, open_high, open };

/// Finite real numbers between low and high.
struct NumberDomain {
  double low;
  double high;
  Ends ends = Ends::closed;

  double parse(const YAML::Node& node) const;
  static std::string format(double value);
  std::string describe() const;
};

/// true or false; yes and no are accepted.
struct BooleanDomain {
  static bool parse(const YAML::Node& node);
  static std::string format(bool value);
  static std::string describe();
};

/// One of a fixed list of names.
struct ChoiceDomain {
  std::vector<std::string> choices;

  std::string parse(const YAML::Node& node) const;
  static std::string format(const std::string& value);
  std::string describe() const;
};

/// One of the names of an enumeration (base/names.hpp).
template <HasNames Value>
struct NameDomain {
  static Value parse(const YAML::Node& node) {
    return *find_named<Value>(ChoiceDomain{names_of<Value>()}.parse(node));
  }
  static std::string format(Value value) { return format_name(std::string(name_of(value))); }
  static std::string describe() { return ChoiceDomain{names_of<Value>()}.describe(); }
};

/// The same, or a word such as "auto", which leaves the choice open.
template <HasNames Value>
struct OpenNameDomain {
  std::string open;

  [[nodiscard]] std::optional<Value> parse(const YAML::Node& node) const {
    return find_named<Value>(choices().parse(node));
  }
  [[nodiscard]] std::string format(std::optional<Value> value) const {
    return value ? NameDomain<Value>::format(*value) : format_name(open);
  }
  [[nodiscard]] std::string describe() const { return choices().describe(); }

 private:
  [[nodiscard]] ChoiceDomain choices() const {
    ChoiceDomain domain = {names_of<Value>()};
    domain.choices.push_back(open);
    return domain;
  }
};

/// A path, possibly empty.
struct PathDomain {
  static std::string parse(const YAML::Node& node);
  static std::string format(const std::string& value);
  static std::string describe();
};

/// Text of several lines.
struct TextDomain {
  static std::string parse(const YAML::Node& node);
  static std::string format(const std::string& value);
  static std::string describe();
};

/// A name that can be part of a file name: letters, digits, '.', '_', '-'; at most 100; starts with a letter
/// or digit.
struct LabelDomain {
  static std::string parse(const YAML::Node& node);
  static std::string format(const std::string& value);
  static std::string describe();
};

/// A list of ascending integers low..high, possibly empty; low is at least 1.
struct AscendingDomain {
  int low;
  int high;

  std::vector<int> parse(const YAML::Node& node) const;
  static std::string format(const std::vector<int>& value);
  std::string describe() const;
};

/// `text` for a message: on one line, shortened when long.
std::string one_line(const std::string& text);

/// The same in quotes.
std::string quote_for_message(const std::string& text);

}  // namespace adapt
