#include "data/registry.hpp"

#include "fixtures.hpp"

namespace adapt {
namespace {

TEST(Registry, KnowsEveryDataset) {
  EXPECT_EQ(dataset_names(), (std::vector<std::string>{"procedural", "mnist", "fashion_mnist", "kmnist",
                                                       "cifar10", "cifar100"}));
}

TEST(Registry, UnknownNameListsTheKnown) {
  DataOptions options;
  options.name = "imagenet";
  test::expect_bad_input(
      [&] { open_dataset(options, 0); },
      {"data.name", "\"imagenet\"", "procedural, mnist, fashion_mnist, kmnist, cifar10, cifar100"});
}

TEST(Registry, EveryDatasetOfFilesSaysHowToGetIt) {
  for (const std::string& name : dataset_names()) {
    if (name == "procedural") {
      continue;
    }
    DataOptions options;
    options.name = name;
    options.path = "/nonexistent";
    test::expect_bad_input([&] { open_dataset(options, 0); }, {"/nonexistent/", "data/fetch.sh " + name});
  }
}

}  // namespace
}  // namespace adapt
