#include "hdf5/node.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "hdf5/file.hpp"

namespace adapt::hdf5 {
namespace {

TEST(Node, AttributesComeBack) {
  const File file = File::create();
  Group root = file.root();
  root.set_attribute("text", "grün");
  root.set_attribute("empty", "");
  root.set_attribute("least", std::numeric_limits<std::int64_t>::min());
  root.set_attribute("tenth", 0.1);
  EXPECT_EQ(root.text_attribute("text"), "grün");
  EXPECT_EQ(root.text_attribute("empty"), "");
  EXPECT_EQ(root.integer_attribute("least"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(root.number_attribute("tenth"), 0.1);
  EXPECT_EQ(root.attribute_names(), (std::vector<std::string>{"empty", "least", "tenth", "text"}));
}

TEST(Node, AnAttributeIsReplacedEvenByAnotherKind) {
  const File file = File::create();
  Group root = file.root();
  root.set_attribute("x", "text");
  root.set_attribute("x", std::int64_t{5});
  EXPECT_EQ(root.integer_attribute("x"), 5);
}

TEST(Node, ManyAndLongAttributesComeBack) {
  const File file = File::create();
  Group root = file.root();
  const std::string longer(200000, 'x');
  for (int i = 0; i < 50; ++i) {
    root.set_attribute(concat("a", i), longer);
  }
  EXPECT_EQ(root.attribute_names().size(), 50U);
  EXPECT_EQ(root.text_attribute("a49"), longer);
}

TEST(Node, MissingOrOtherwiseTypedAttributesAreErrors) {
  const File file = File::create();
  Group root = file.root();
  root.set_attribute("text", "t");
  root.set_attribute("count", std::int64_t{1});
  EXPECT_FALSE(root.has_attribute("none"));
  EXPECT_THROW(static_cast<void>(root.integer_attribute("none")), Error);
  EXPECT_THROW(static_cast<void>(root.integer_attribute("text")), Error);
  EXPECT_THROW(static_cast<void>(root.text_attribute("count")), Error);
  EXPECT_THROW(static_cast<void>(root.number_attribute("count")), Error);
}

TEST(Node, TextWithNulIsRefused) {
  const File file = File::create();
  Group root = file.root();
  EXPECT_THROW(root.set_attribute("x", std::string("a\0b", 3)), Error);
}

}  // namespace
}  // namespace adapt::hdf5
