#include "hdf5/group.hpp"

#include <gtest/gtest.h>

#include "hdf5/file.hpp"

namespace adapt::hdf5 {
namespace {

TEST(Group, ChildrenKeepTheOrderTheyWereMadeIn) {
  const File file = File::create();
  Group group = file.root().create_group("layers");
  const std::vector<std::string> names = {"stage2.block1.conv1", "conv1", "a b", "ü"};
  for (const std::string& name : names) {
    group.create_group(name);
  }
  EXPECT_EQ(group.names(), names);
  EXPECT_EQ(group.group("conv1").path(), "/layers/conv1");
  const File copy = File::open(file.image(), "copy");
  EXPECT_EQ(copy.root().group("layers").names(), names);
}

TEST(Group, RefusesNamesThatArePaths) {
  const File file = File::create();
  Group root = file.root();
  for (const std::string name : {"", ".", "a/b", "/a", "a/"}) {
    EXPECT_THROW(root.create_group(name), Error) << name;
    EXPECT_THROW(static_cast<void>(root.has(name)), Error) << name;
  }
  EXPECT_NO_THROW(root.create_group(".."));
}

TEST(Group, ArraysKeepShapeTypeAndValues) {
  const File file = File::create();
  Group root = file.root();
  const std::vector<std::int64_t> dims = {2, 1, 3};
  const std::vector<std::int16_t> elements = {-32768, -1, 0, 1, 2, 32767};
  root.create_array("a", std::span(dims), std::span<const std::int16_t>(elements));
  const Dataset array = root.dataset("a");
  EXPECT_EQ(array.dims(), dims);
  EXPECT_EQ(array.type().bytes(), 2U);
  EXPECT_EQ(array.read<std::int16_t>(), elements);
}

TEST(Group, ArraysOfNoElementAndScalarsWork) {
  const File file = File::create();
  Group root = file.root();
  const std::vector<std::int64_t> none = {3, 0};
  root.create_array("none", std::span(none), std::span<const float>());
  EXPECT_TRUE(root.dataset("none").read<float>().empty());
  const std::vector<float> one = {5};
  root.create_array("scalar", {}, std::span<const float>(one));
  EXPECT_EQ(root.dataset("scalar").read<float>(), one);
  EXPECT_TRUE(root.dataset("scalar").dims().empty());
}

TEST(Group, AnArrayWhoseShapeDoesNotFitIsRefused) {
  const File file = File::create();
  const std::vector<std::int64_t> dims = {2, 2};
  const std::vector<float> elements = {1, 2, 3};
  EXPECT_THROW(file.root().create_array("a", std::span(dims), std::span<const float>(elements)), Error);
}

TEST(Group, MissingDuplicateAndOtherObjectsAreErrors) {
  const File file = File::create();
  Group root = file.root();
  root.create_group("g");
  root.create_text("t", "x");
  EXPECT_THROW(root.create_group("g"), Error);
  EXPECT_THROW(static_cast<void>(root.group("t")), Error);
  EXPECT_THROW(static_cast<void>(root.dataset("g")), Error);
  EXPECT_THROW(static_cast<void>(root.dataset("none")), Error);
  EXPECT_THROW(root.remove("none"), Error);
}

TEST(Group, RemovedNamesCanBeUsedAgain) {
  const File file = File::create();
  Group root = file.root();
  root.create_group("g").create_group("inside");
  root.remove("g");
  EXPECT_FALSE(root.has("g"));
  EXPECT_TRUE(root.create_group("g").names().empty());
}

}  // namespace
}  // namespace adapt::hdf5
