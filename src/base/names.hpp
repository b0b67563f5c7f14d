#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "base/suggest.hpp"

namespace adapt {

/// A value of an enumeration and its name in experiment files, on the command line and in logs.
template <class Value>
struct Named {
  std::string_view name;
  Value value;
};
template <class Value>
Named(const char*, Value) -> Named<Value>;  // clang 14 does not find it by itself

/// The names of an enumeration's values, the only place where they stand: a constexpr array of Named or,
/// where each value is something that can be made, of a registry's entries, which have `name`, `value` and
/// `make`. Specialized right behind the enumeration.
template <class Value>
inline constexpr int kNames = 0;

template <class Value>
concept HasNames = std::is_enum_v<Value> && requires {
  kNames<Value>.size();
};

/// The line of `value` in its table.
template <HasNames Value>
constexpr const auto& entry_of(Value value) {
  for (const auto& entry : kNames<Value>) {
    if (entry.value == value) {
      return entry;
    }
  }
  throw Failure("a value of an enumeration has no name");
}

template <HasNames Value>
constexpr std::string_view name_of(Value value) {
  return entry_of(value).name;
}

/// All names, in the table's order.
template <HasNames Value>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  names.reserve(kNames<Value>.size());
  for (const auto& entry : kNames<Value>) {
    names.emplace_back(entry.name);
  }
  return names;
}

/// The value of that name, if there is one.
template <HasNames Value>
constexpr std::optional<Value> find_named(std::string_view name) {
  for (const auto& entry : kNames<Value>) {
    if (entry.name == name) {
      return entry.value;
    }
  }
  return std::nullopt;
}

/// The value of that name. Throws BadInput "unknown KIND 'NAME'" with a hint.
template <HasNames Value>
Value read_name(std::string_view kind, const std::string& name) {
  const std::optional<Value> found = find_named<Value>(name);
  if (!found) {
    throw BadInput(concat("unknown ", kind, " '", name, "'", name_hint(name, names_of<Value>())));
  }
  return *found;
}

template <HasNames Value>
std::ostream& operator<<(std::ostream& out, Value value) {
  return out << name_of(value);
}

}  // namespace adapt
