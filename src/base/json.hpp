#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace adapt {

/// A JSON value. The members of an object keep their order.
using Json = nlohmann::ordered_json;

/// Parses one JSON text (RFC 8259). `source` names it in messages. Throws BadInput with the byte where it
/// stops making sense, and for values nested more than 64 deep.
Json parse_json(std::string_view text, const std::string& source);

// As text, numbers are written so that they read back exactly (NaN and Inf, which JSON does not have, as
// null), and what is no ASCII is escaped, so that a terminal shows it and does nothing else. A byte that is
// no UTF-8 becomes U+FFFD.

/// On lines of their own, two blanks of indentation a level, with a line end.
std::string json_text(const Json& value);
/// On one line, without a line end.
std::string json_line(const Json& value);

/// Adds a member without a look at the others: many of them take no time each.
void add_member(Json& object, std::string name, Json value);

// What stands in a file may come from anybody: what is not there, or is something else, is empty.

/// The member of that name; null where there is none or `value` is no object.
const Json* find_member(const Json& value, std::string_view name);
/// The member's text where it is a string, number or boolean.
std::string text_of(const Json& value, std::string_view name);
/// The member's integer.
std::optional<std::int64_t> integer_of(const Json& value, std::string_view name);

}  // namespace adapt
