#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adapt {

/// `text` as a JSON string, quotes included: quotes, backslashes and what is not printable (terminal.hpp)
/// escaped, a byte that is no UTF-8 replaced by U+FFFD, the rest as it is.
std::string json_string(std::string_view text);

/// `value` as a JSON number that reads back exactly; null for NaN and Inf, which JSON does not have.
std::string json_number(double value);

/// Writes a JSON text piece by piece, two blanks of indentation a level. Throws Failure where the order of
/// calls makes no JSON: a value without a key in an object, a key in an array, an end that does not fit.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{', '}'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('[', ']'); }
  JsonWriter& end_array() { return close(']'); }
  /// The name of the value that comes next.
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text) { return put(json_string(text)); }
  JsonWriter& value(double number) { return put(json_number(number)); }
  JsonWriter& value(std::int64_t number) { return put(std::to_string(number)); }
  /// A whole value that is JSON already.
  JsonWriter& json(const std::string& text) { return put(text); }

  /// key() and value() in one.
  template <class T>
  JsonWriter& member(std::string_view name, const T& item) {
    return key(name).value(item);
  }

  /// The whole text, with a line end. Throws Failure while something is still open.
  [[nodiscard]] std::string text() const;

 private:
  struct Level {
    char end;
    bool empty = true;
    bool has_key = false;
  };

  JsonWriter& open(char begin, char end);
  JsonWriter& close(char end);
  JsonWriter& put(const std::string& token);
  void begin_item();
  void new_line();

  std::string text_;
  std::vector<Level> levels_;
};

}  // namespace adapt
