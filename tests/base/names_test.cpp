#include "base/names.hpp"

#include <gtest/gtest.h>

#include <array>

namespace adapt {

enum class Fruit { apple, pear };
template <>
inline constexpr auto kNames<Fruit> = std::array{Named{"pear", Fruit::pear}, Named{"apple", Fruit::apple}};

namespace {

enum class Nameless { one };

TEST(Names, GoBothWays) {
  EXPECT_EQ(name_of(Fruit::apple), "apple");
  EXPECT_EQ(find_named<Fruit>("pear"), Fruit::pear);
  EXPECT_EQ(find_named<Fruit>("Pear"), std::nullopt);
  EXPECT_EQ(find_named<Fruit>(""), std::nullopt);
  static_assert(name_of(Fruit::pear) == "pear");
}

TEST(Names, StandInTheTablesOrder) {
  EXPECT_EQ(names_of<Fruit>(), (std::vector<std::string>{"pear", "apple"}));
}

TEST(Names, ArePrinted) { EXPECT_EQ(concat(Fruit::apple, "s"), "apples"); }

TEST(Names, AnUnknownOneIsRefusedWithAHint) {
  EXPECT_EQ(read_name<Fruit>("fruit", "apple"), Fruit::apple);
  try {
    read_name<Fruit>("fruit", "appel");
    FAIL() << "accepted";
  } catch (const BadInput& error) {
    EXPECT_STREQ(error.what(), "unknown fruit 'appel'; did you mean 'apple'?");
  }
}

TEST(Names, AValueWithoutAnyIsOurMistake) {
  EXPECT_THROW(static_cast<void>(name_of(static_cast<Fruit>(7))), Failure);
  static_assert(!HasNames<Nameless> && !HasNames<int>);
}

}  // namespace
}  // namespace adapt
