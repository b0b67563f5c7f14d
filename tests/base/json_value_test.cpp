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
  const std::string where = "a.json: not valid JSON at byte ";
  EXPECT_EQ(refusal("{\"a\": 1,}"), where +
                                        "9: syntax error while parsing object key - unexpected '}'; expected "
                                        "string literal");
  for (const char* text : {"", "{\"a\" 1}", "[1 2]", "[1] x", "\"abc", "012", "-", "1e999", "\"\\u12\"",
                           "\"\\x\"", "\"\\ud83d\"", "\"\xff\"", "\"a\nb\"", "nul", "{\"a\": 1"}) {
    EXPECT_EQ(refusal(text).substr(0, where.size()), where) << text;
  }
  EXPECT_EQ(refusal(std::string(100, '[')), "a.json: values nested more than 64 deep; expected fewer levels");
  EXPECT_EQ(refusal("[" + std::string(65, '[')),
            "a.json: values nested more than 64 deep; expected fewer levels");
  EXPECT_EQ(refusal(std::string(65, '[') + std::string(65, ']')), "accepted");
}

}  // namespace
}  // namespace adapt
