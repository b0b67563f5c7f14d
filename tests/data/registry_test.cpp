#include "data/registry.hpp"

#include <utility>

#include "fixtures.hpp"

namespace adapt {
namespace {

TEST(Registry, KnowsEveryDataset) {
  EXPECT_EQ(dataset_names(), (std::vector<std::string>{"procedural", "mnist", "fashion_mnist", "kmnist",
                                                       "cifar10", "cifar100", "arrays", "png_folder"}));
}

TEST(Registry, UnknownNameListsTheKnown) {
  DataOptions options;
  options.name = "imagenet";
  test::expect_bad_input([&] { open_dataset(options, 0); },
                         {"data.name", "\"imagenet\"",
                          "procedural, mnist, fashion_mnist, kmnist, cifar10, cifar100, arrays, png_folder"});
}

TEST(Registry, EveryDatasetOfFilesSaysHowToGetIt) {
  for (const std::string& name : dataset_names()) {
    if (name == "procedural" || is_its_path(name)) {
      continue;
    }
    DataOptions options;
    options.name = name;
    options.path = "/nonexistent";
    test::expect_bad_input([&] { open_dataset(options, 0); }, {"/nonexistent/", "data/fetch.sh " + name});
  }
}

TEST(Registry, ADescriptionIsWhatIsOpened) {
  DataOptions options;
  options.train_samples = 300;
  options.test_samples = 20;
  const DataDescription told = describe_dataset(options);
  const DataSplits opened = open_dataset(options, 0);
  EXPECT_EQ(told.shape, opened.train->shape());
  EXPECT_EQ(told.classes, opened.train->classes());
  EXPECT_EQ(told.images, opened.train->size() + opened.test->size());
  EXPECT_EQ(told.bytes, told.images * (told.shape.elements() + 4));
}

TEST(Registry, FilesAreDescribedBeforeTheyAreThere) {
  for (const auto& [name, images] : {std::pair("mnist", 60000 + 10), std::pair("cifar10", 50000 + 10)}) {
    DataOptions options;
    options.name = name;
    options.path = "/nonexistent";
    options.test_samples = 10;
    const DataDescription told = describe_dataset(options);
    EXPECT_EQ(told.images, images) << name;
    EXPECT_EQ(told.bytes, images * (told.shape.elements() + 4)) << name;
    EXPECT_GT(told.opening_bytes, told.bytes) << name << ": files are read as a whole";
  }
}

}  // namespace
}  // namespace adapt
