// Folders of .npy files, written here byte by byte. HDF5 files are written by h5py in
// tests/cli/own_data_test.py.

#include <array>
#include <tuple>
#include <utility>

#include "data/dataset.hpp"
#include "data/folds.hpp"
#include "fixtures.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::Bytes;

constexpr std::size_t kImage = 2 * 3 * 3;

Bytes npy(const std::string& type, const std::string& shape, const Bytes& elements) {
  const std::string description =
      concat("{'descr': '", type, "', 'fortran_order': False, 'shape': (", shape, "), }\n");
  Bytes bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(description.size()), 0};
  bytes.insert(bytes.end(), description.begin(), description.end());
  bytes.insert(bytes.end(), elements.begin(), elements.end());
  return bytes;
}

Bytes images(std::size_t count) {
  Bytes elements;
  for (std::size_t i = 0; i < count * kImage; ++i) {
    elements.push_back(static_cast<std::uint8_t>(7 * i));
  }
  return npy("|u1", concat(count, ", 2, 3, 3"), elements);
}

/// Four training and two test images of three classes, to be spoilt by the tests.
class Arrays : public testing::Test {
 protected:
  Arrays() {
    put("train_images", images(4));
    put("train_labels", npy("<i4", "4,", {2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}));
    put("test_images", images(2));
    put("test_labels", npy(">u2", "2,", {0, 1, 0, 2}));
    options_.name = "arrays";
    options_.path = scratch_.path();
  }
  void put(const std::string& name, const Bytes& bytes) const { test::write_bytes(path(name), bytes); }
  std::filesystem::path path(const std::string& name) const { return scratch_.path() / (name + ".npy"); }
  /// Opened or only described, `name` is refused.
  void expect_refused(const std::string& name, const std::string& part, const std::string& other = "") const {
    test::expect_bad_input([&] { open_dataset(options_, 0); }, {path(name).string(), part, other});
    test::expect_bad_input([&] { describe_dataset(options_); }, {path(name).string(), part, other});
  }

  test::Scratch scratch_;
  DataOptions options_;
};

TEST_F(Arrays, AreReadWhereTheyLie) {
  const DataSplits splits = open_dataset(options_, 0);
  EXPECT_TRUE(splits.train->is_mapped() && splits.test->is_mapped());
  EXPECT_EQ(splits.train->size(), 4);
  EXPECT_EQ(splits.train->classes(), 3);
  EXPECT_EQ(splits.train->shape(), (ImageShape{2, 3, 3}));
  Bytes image(kImage);
  EXPECT_EQ(splits.train->read(3, image), 2);
  EXPECT_EQ(image[1], static_cast<std::uint8_t>(7 * (3 * kImage + 1)));
  EXPECT_EQ(splits.test->read(0, image), 1);
  EXPECT_EQ(splits.test->read(1, image), 2);
  const DataDescription told = describe_dataset(options_);
  EXPECT_EQ(told.shape, splits.train->shape());
  EXPECT_EQ(told.classes, 3);
  EXPECT_EQ(told.images, 6);
  EXPECT_EQ(told.bytes, 6 * 4) << "labels only: images stay in their files";
}

TEST_F(Arrays, AreCutAndFolded) {
  options_.train_samples = 3;
  options_.folds = 3;
  const DataSplits splits = open_dataset(options_, 0);
  EXPECT_EQ(splits.train->size(), 2);
  EXPECT_EQ(splits.test->size(), 1);
  EXPECT_TRUE(splits.train->is_mapped());
}

TEST_F(Arrays, EveryIntegerTypeIsALabel) {
  const Bytes eight = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                       1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const std::array<std::pair<const char*, Bytes>, 4> types = {
      {{"|u1", {0, 1, 1, 0}}, {"|i1", {0, 1, 1, 0}}, {">i2", {0, 0, 0, 1, 0, 1, 0, 0}}, {"<i8", eight}}};
  put("test_labels", npy("|u1", "2,", {1, 0}));
  for (const auto& [type, elements] : types) {
    put("train_labels", npy(type, "4,", elements));
    const DataSplits splits = open_dataset(options_, 0);
    Bytes image(kImage);
    EXPECT_EQ(splits.train->read(1, image), 1) << type;
    EXPECT_EQ(splits.train->read(3, image), 0) << type;
  }
}

TEST_F(Arrays, AreNormalizedByTheirOwnMeanAndDeviation) {
  Bytes elements(4 * kImage, 100);
  for (std::size_t i = 0; i < elements.size(); i += 6) {
    elements[i] = 50;  // every second pixel of the first channel
  }
  put("train_images", npy("|u1", "4, 2, 3, 3", elements));
  const Normalization found = open_dataset(options_, 0).normalization;
  EXPECT_FLOAT_EQ(found.mean[0], 75.0F / 255);
  EXPECT_FLOAT_EQ(found.deviation[0], 25.0F / 255);
  EXPECT_FLOAT_EQ(found.mean[1], 100.0F / 255);
  EXPECT_EQ(found.deviation[1], 1);
}

TEST_F(Arrays, DamageIsRefusedWithPathAndOffset) {
  const Bytes good = images(4);
  put("train_images", Bytes(good.begin(), good.end() - 1));
  expect_refused("train_images", concat("byte ", good.size() - 1, ": expected ", good.size(), " bytes"),
                 "truncated");
  put("train_images", {});
  expect_refused("train_images", "byte 0", "empty");
  put("train_images", Bytes(200, 'x'));
  expect_refused("train_images", "byte 0", "NUMPY");
  std::filesystem::remove(path("train_images"));
  expect_refused("train_images", "missing");
}

TEST_F(Arrays, OtherShapesAndTypesAreRefused) {
  const std::string expected = "expected uint8 images (N, height, width, channels)";
  for (const auto& [type, shape, bytes] :
       {std::tuple("<f4", "4, 2, 3, 3", 4 * kImage * 4), std::tuple("|u1", "4, 18", 4 * kImage),
        std::tuple("|u1", "4, 1, 3, 6", 4 * kImage), std::tuple("|u1", "0, 2, 3, 3", 0 * kImage),
        std::tuple("|u1", "1, 5000, 1, 1", std::size_t{5000})}) {
    put("train_images", npy(type, shape, Bytes(bytes)));
    expect_refused("train_images", expected, concat("(", shape, ")"));
  }
  put("train_images", images(4));
  put("test_images", npy("|u1", "2, 2, 3, 1", Bytes(12)));
  expect_refused("test_images", "2x3x3, as the training set has", "uint8 (2, 2, 3, 1)");
}

TEST_F(Arrays, LabelsThatAreNoneAreRefused) {
  const Bytes header = npy("|i1", "4,", {});
  put("train_labels", npy("|i1", "4,", {0, 1, 0xFF, 1}));
  expect_refused("train_labels", concat("byte ", header.size() + 2, ": expected a label 0..65535"),
                 "found -1");
  put("train_labels", npy("<u8", "4,", Bytes(32, 0xFF)));
  expect_refused("train_labels", "expected a label 0..65535");
  put("train_labels", npy("<f4", "4,", Bytes(16)));
  expect_refused("train_labels", "expected integers (4), a label for each image", "float32");
  put("train_labels", npy("|u1", "3,", Bytes(3)));
  expect_refused("train_labels", "a label for each image", "uint8 (3)");
  put("train_labels", npy("|u1", "4,", Bytes(4)));
  expect_refused("train_labels", "two classes");
  put("train_labels", npy("|u1", "4,", {0, 1, 1, 0}));
  expect_refused("test_labels", "expected a label 0..1", "found 2");
}

TEST_F(Arrays, WithoutAPathTheyAreNone) {
  options_.path.clear();
  test::expect_bad_input([&] { open_dataset(options_, 0); }, {"data.path is empty", "train_images.npy"});
}

}  // namespace
}  // namespace adapt
