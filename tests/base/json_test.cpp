#include "base/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"

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

TEST(Json, TextIsEscaped) {
  EXPECT_EQ(json_line("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_line(std::string("\0\x1f\n", 3)), R"("\u0000\u001f\n")");
  EXPECT_EQ(json_line(""), "\"\"");
}

TEST(Json, TextSteersNoTerminal) {
  EXPECT_EQ(json_line("\x7f\xc2\x9b\x32J \xe2\x80\xae"), R"("\u007f\u009b2J \u202e")");
  EXPECT_EQ(json_line("\xf3\xa0\x81\x81"), R"("\udb40\udc41")");
  EXPECT_EQ(json_line("a\xff"), R"("a\ufffd")");
}

TEST(Json, NumbersReadBackExactly) {
  for (const double value : {0.1, 1.0 / 3, -1e-300, 5e-324, 1.7976931348623157e308, 0.0}) {
    EXPECT_EQ(parse_json(json_line(value), "t").get<double>(), value);
  }
  EXPECT_EQ(json_line(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json_line(std::nan("")), "null");
  const Json value = parse_json(R"({"seed": 9223372036854775807, "x": 0.1, "n": null, "s": "3"})", "t");
  EXPECT_EQ(json_line(value), R"({"seed":9223372036854775807,"x":0.1,"n":null,"s":"3"})");
}

TEST(Json, NestedText) {
  EXPECT_EQ(json_text({{"b", 1}, {"a", {"x", Json::object(), {{"c", 0.5}}}}, {"d", Json::array()}}), R"({
  "b": 1,
  "a": [
    "x",
    {},
    {
      "c": 0.5
    }
  ],
  "d": []
}
)");
}

TEST(Json, ReadsEveryKind) {
  const Json value = parse_json(
      R"( {"b": [1, -2.5e3, true, false, null], "a": {}, "c": "x\"\\\n\u00e9\ud83d\ude00é", "d": []} )", "t");
  EXPECT_EQ(json_line(*find_member(value, "b")), "[1,-2500.0,true,false,null]");
  EXPECT_EQ(text_of(value, "c"), "x\"\\\n\xC3\xA9\xF0\x9F\x98\x80\xC3\xA9");
  EXPECT_TRUE(find_member(value, "a")->is_object());
  EXPECT_EQ(value.begin().key(), "b") << "in its order";
}

TEST(Json, WhatIsNotThereIsEmpty) {
  const Json value = parse_json(
      R"({"i": -3, "u": 18446744073709551615, "x": 1.5, "t": true, "n": null, "s": "3", "l": [1]})", "t");
  EXPECT_EQ(integer_of(value, "i"), -3);
  for (const char* name : {"u", "x", "t", "n", "s", "l", "nothing"}) {
    EXPECT_EQ(integer_of(value, name), std::nullopt) << name;
  }
  EXPECT_EQ(text_of(value, "s"), "3");
  EXPECT_EQ(text_of(value, "i"), "-3");
  EXPECT_EQ(text_of(value, "t"), "true");
  for (const char* name : {"n", "l", "nothing"}) {
    EXPECT_EQ(text_of(value, name), "") << name;
  }
  EXPECT_EQ(find_member(value, "nothing"), nullptr);
  EXPECT_EQ(find_member(Json(3), "i"), nullptr);
  EXPECT_EQ(text_of(Json::array({"i"}), "i"), "");
}

TEST(Json, RefusesWhatIsNone) {
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
