#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adapt {

/// A JSON value that was read from a text. An object keeps the order of its members; numbers keep their
/// digits, so that what is read can be written again unchanged.
struct JsonValue {
  enum class Kind { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  std::string text;  ///< of a string: decoded (UTF-8); of a number or boolean: as it was written
  std::vector<std::string> names;  ///< of an object's members; of each the value is in `items`
  std::vector<JsonValue> items;    ///< of an array or object

  /// The member of that name, or null where there is none or this is no object.
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  /// The member's text where it is a string, number or boolean; else empty.
  [[nodiscard]] std::string text_of(std::string_view name) const;
  /// The number that this is; none for anything else.
  [[nodiscard]] std::optional<double> number() const;
  /// The member's integer; none where it is missing, null or no integer.
  [[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view name) const;
  /// The value as JSON on one line.
  [[nodiscard]] std::string dump() const;
};

/// Parses one JSON text (RFC 8259), by nlohmann::json. `source` names it in messages. Throws BadInput with
/// the byte where it stops making sense, and for values nested more than 64 deep.
JsonValue parse_json(std::string_view text, const std::string& source);

}  // namespace adapt
