#include "base/suggest.hpp"

#include <gtest/gtest.h>

namespace adapt {
namespace {

TEST(EditDistance, HandComputedCases) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("epoch", "epochs"), 1U);
  EXPECT_EQ(edit_distance("minst", "mnist"), 1U) << "swapped neighbours count once";
  EXPECT_EQ(edit_distance("MNIST", "mnist"), 0U) << "letter case does not count";
  EXPECT_EQ(edit_distance("ca", "abc"), 3U) << "a swapped pair is not edited again";
}

TEST(EditDistance, IsSymmetric) {
  const std::vector<std::string> words = {"", "a", "ab", "ba", "batch", "patch", "bacth", "learning_rate"};
  for (const auto& a : words) {
    for (const auto& b : words) {
      EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " and " << b;
    }
  }
}

TEST(Nearest, FindsTheClosest) {
  const std::vector<std::string> names = {"cifar10", "cifar100", "mnist", "kmnist"};
  EXPECT_EQ(nearest("cifar1000", names), "cifar100");
  EXPECT_EQ(nearest("minst", names), "mnist");
  EXPECT_EQ(nearest("CIFAR-10", names), "cifar10");
}

TEST(Nearest, PrefersTheFirstOfEquals) {
  EXPECT_EQ(nearest("bat", {"cat", "hat"}), "cat");
  EXPECT_EQ(nearest("bat", {"hat", "cat"}), "hat");
}

TEST(Nearest, GivesUpOnWordsThatAreFarAway) {
  EXPECT_EQ(nearest("imagenet", {"mnist", "cifar10"}), std::nullopt);
  EXPECT_EQ(nearest("", {"a"}), std::nullopt);
  EXPECT_EQ(nearest("word", {}), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000000, 'a'), {"aaa"}), std::nullopt);
}

TEST(NameHint, SuggestsOrLists) {
  EXPECT_EQ(name_hint("adpt", {"float32", "adapt"}), "; did you mean 'adapt'?");
  EXPECT_EQ(name_hint("nothing", {"float32", "adapt"}), "; expected one of float32, adapt");
  EXPECT_EQ(join_names({}), "");
}

}  // namespace
}  // namespace adapt
