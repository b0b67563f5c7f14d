// Reading JSON, beside what base/json.hpp writes.

#include "base/json_value.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/json.hpp"

namespace adapt {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_json(text, "a.json");
  } catch (const BadInput& error) {
    return error.what();
  }
  return "accepted";
}

TEST(JsonValue, ReadsEveryKind) {
  const JsonValue value = parse_json(
      R"( {"a": [1, -2.5e3, true, false, null], "b": {}, "c": "x\"\\\n\u00e9\ud83d\ude00é", "d": []} )", "t");
  EXPECT_EQ(value.names, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(value.find("a")->dump(), "[1, -2.5e3, true, false, null]");
  EXPECT_EQ(value.text_of("c"), "x\"\\\n\xC3\xA9\xF0\x9F\x98\x80\xC3\xA9");
  EXPECT_EQ(value.find("nothing"), nullptr);
  EXPECT_EQ(value.text_of("a"), "");
  EXPECT_EQ(value.find("b")->kind, JsonValue::Kind::object);
}

TEST(JsonValue, HalfACharacterIsReplaced) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_EQ(parse_json(R"("\ud83d")", "t").text, replacement);
  EXPECT_EQ(parse_json(R"("\ude42\ud83d\u0041")", "t").text, replacement + replacement + "A");
  EXPECT_EQ(parse_json(R"("\ud83d\ud83d\ude42")", "t").text, replacement + "\xF0\x9F\x99\x82");
}

TEST(JsonValue, NumbersKeepTheirDigits) {
  const JsonValue value = parse_json(R"({"seed": 9223372036854775807, "x": 0.1, "n": null, "s": "3"})", "t");
  EXPECT_EQ(value.integer_of("seed"), 9223372036854775807);
  EXPECT_EQ(value.find("x")->number(), 0.1);
  EXPECT_EQ(value.integer_of("x"), std::nullopt);
  EXPECT_EQ(value.find("n")->number(), std::nullopt);
  EXPECT_EQ(value.find("s")->number(), std::nullopt);
  EXPECT_EQ(value.dump(), R"({"seed": 9223372036854775807, "x": 0.1, "n": null, "s": "3"})");
}

TEST(JsonValue, ReadsWhatTheWriterWrites) {
  JsonWriter writer;
  writer.begin_object().member("text", std::string_view("tab\t\x01 \"quoted\""));
  writer.key("list").begin_array().value(std::int64_t{1}).value(0.5).end_array().end_object();
  const JsonValue value = parse_json(writer.text(), "t");
  EXPECT_EQ(value.text_of("text"), "tab\t\x01 \"quoted\"");
  EXPECT_EQ(value.find("list")->items[1].text, "0.5");
}

TEST(JsonValue, RefusesWhatIsNone) {
  EXPECT_EQ(refusal(""), "a.json: not valid JSON at byte 0; expected a value");
  EXPECT_EQ(refusal("{\"a\": 1,}"), "a.json: not valid JSON at byte 8; expected a name in quotes");
  EXPECT_EQ(refusal("{\"a\" 1}"), "a.json: not valid JSON at byte 5; expected ':'");
  EXPECT_EQ(refusal("[1 2]"), "a.json: not valid JSON at byte 3; expected ',' or ']'");
  EXPECT_EQ(refusal("[1] x"), "a.json: not valid JSON at byte 4; expected the end");
  EXPECT_EQ(refusal("\"abc"), "a.json: not valid JSON at byte 4; expected the end of a string");
  EXPECT_EQ(refusal("012"), "a.json: not valid JSON at byte 0; expected a number");
  EXPECT_EQ(refusal("-"), "a.json: not valid JSON at byte 0; expected a number");
  EXPECT_EQ(refusal("\"\\u12\""), "a.json: not valid JSON at byte 3; expected four hexadecimal digits");
  EXPECT_EQ(refusal("\"\\x\""), "a.json: not valid JSON at byte 3; expected an escape that JSON has");
  EXPECT_EQ(refusal(std::string(100, '[')), "a.json: not valid JSON at byte 65; expected fewer levels");
}

}  // namespace
}  // namespace adapt
