#include "hdf5/datatype.hpp"

#include <gtest/gtest.h>

namespace adapt::hdf5 {
namespace {

TEST(Datatype, NumbersHaveTheirKindAndSize) {
  EXPECT_EQ(Datatype::of<std::int8_t>().bytes(), 1U);
  EXPECT_EQ(Datatype::of<std::int16_t>().bytes(), 2U);
  EXPECT_EQ(Datatype::of<std::int32_t>().bytes(), 4U);
  EXPECT_EQ(Datatype::of<std::int64_t>().bytes(), 8U);
  EXPECT_EQ(Datatype::of<std::int64_t>().kind(), Kind::integer);
  EXPECT_EQ(Datatype::of<float>().bytes(), 4U);
  EXPECT_EQ(Datatype::of<double>().bytes(), 8U);
  EXPECT_EQ(Datatype::of<double>().kind(), Kind::floating);
}

TEST(Datatype, TextsAreFixedOrVariable) {
  EXPECT_EQ(Datatype::of<FixedText<5>>().bytes(), 5U);
  EXPECT_EQ(Datatype::of<FixedText<5>>().kind(), Kind::text);
  EXPECT_FALSE(Datatype::of<FixedText<5>>().variable_length());
  EXPECT_TRUE(Datatype::text().variable_length());
}

TEST(Datatype, CompoundsLosePaddingWhenPacked) {
  struct Row {
    std::int8_t small = 0;
    double big = 0;
  };
  Datatype type = Datatype::compound(sizeof(Row));
  type.insert("small", offsetof(Row, small), Datatype::of<std::int8_t>());
  type.insert("big", offsetof(Row, big), Datatype::of<double>());
  EXPECT_EQ(type.bytes(), 16U);
  EXPECT_EQ(type.packed().bytes(), 9U);
  EXPECT_EQ(type.bytes(), 16U) << "packed() must leave the original alone";
  EXPECT_EQ(type.member_kind("big"), Kind::floating);
  EXPECT_EQ(type.member_kind("none"), Kind::other);
}

TEST(FixedText, KeepsWhatFitsAndRefusesTheRest) {
  EXPECT_EQ(FixedText<4>("").text(), "");
  EXPECT_EQ(FixedText<4>("abcd").text(), "abcd");
  EXPECT_THROW(FixedText<4>("abcde"), Error);
  EXPECT_THROW(FixedText<4>(std::string("a\0b", 3)), Error);
}

}  // namespace
}  // namespace adapt::hdf5
