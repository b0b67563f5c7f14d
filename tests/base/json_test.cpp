#include "base/json.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "base/error.hpp"

namespace adapt {
namespace {

TEST(Json, StringsAreEscaped) {
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string("line\nand\ttab"), R"("line\nand\ttab")");
  EXPECT_EQ(json_string(std::string("\0\x1f\r", 3)), R"("\u0000\u001f\u000d")");
  EXPECT_EQ(json_string("\xc3\xa9 \xf0\x9f\x99\x82"), "\"\xc3\xa9 \xf0\x9f\x99\x82\"");
  EXPECT_EQ(json_string(""), "\"\"");
}

TEST(Json, StringsSteerNoTerminalAndAreUtf8) {
  EXPECT_EQ(json_string("\x7f\xc2\x9b\x32J \xe2\x80\xae"), R"("\u007f\u009b2J \u202e")");
  EXPECT_EQ(json_string("\xf3\xa0\x81\x81"), R"("\udb40\udc41")");
  EXPECT_EQ(json_string("a\xff"), "\"a\xEF\xBF\xBD\"");
}

TEST(Json, NumbersReadBackExactly) {
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(-3), "-3");
  for (const double value : {1.0 / 3, 1e-300, std::numeric_limits<double>::denorm_min(), 123456789.25}) {
    EXPECT_EQ(std::strtod(json_number(value).c_str(), nullptr), value);
  }
  EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(json_number(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(Json, NestedText) {
  JsonWriter json;
  json.begin_object().member("a", std::int64_t{1}).key("b").begin_array();
  json.value("x").begin_object().end_object().begin_object().member("c", 0.5).end_object().end_array();
  json.key("d").begin_array().end_array().end_object();
  EXPECT_EQ(json.text(), R"({
  "a": 1,
  "b": [
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

TEST(Json, CallsThatMakeNoJsonAreRefused) {
  EXPECT_THROW(JsonWriter().key("a"), Failure);
  EXPECT_THROW(JsonWriter().begin_array().key("a"), Failure);
  EXPECT_THROW(JsonWriter().begin_object().value("a"), Failure);
  EXPECT_THROW(JsonWriter().begin_object().key("a").key("b"), Failure);
  EXPECT_THROW(JsonWriter().begin_object().key("a").end_object(), Failure);
  EXPECT_THROW(JsonWriter().begin_object().end_array(), Failure);
  EXPECT_THROW(JsonWriter().end_array(), Failure);
  EXPECT_THROW(JsonWriter().value("a").value("b"), Failure);
  EXPECT_THROW((void)JsonWriter().begin_array().text(), Failure);
  EXPECT_THROW((void)JsonWriter().text(), Failure);
}

}  // namespace
}  // namespace adapt
