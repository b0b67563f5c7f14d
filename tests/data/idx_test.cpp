// Readers of the MNIST family against files written here, byte by byte, from the format's definition.

#include <algorithm>
#include <array>
#include <utility>

#include "data/dataset.hpp"
#include "fixtures.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::Bytes;
using test::expect_bad_input;

constexpr std::size_t kImage = 28 * 28;

void append_word(Bytes& bytes, std::uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) {
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

std::uint8_t pixel(std::size_t image, std::size_t position) {
  return static_cast<std::uint8_t>(31 * image + position % 251);
}

Bytes images_file(std::uint32_t count) {
  Bytes bytes;
  for (const std::uint32_t word : {0x803U, count, 28U, 28U}) {
    append_word(bytes, word);
  }
  for (std::size_t i = 0; i < count * kImage; ++i) {
    bytes.push_back(pixel(i / kImage, i % kImage));
  }
  return bytes;
}

Bytes labels_file(std::uint32_t count) {
  Bytes bytes;
  append_word(bytes, 0x801);
  append_word(bytes, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>((7 * i + 9) % 10));
  }
  return bytes;
}

struct Member {
  const char* name;
  const char* folder;
  bool compressed;
};

/// A good dataset of 3 training and 2 test images, to be spoilt by the tests; whole family, plain and .gz.
class Idx : public testing::TestWithParam<Member> {
 protected:
  Idx() {
    put("train-images-idx3-ubyte", images_file(3));
    put("train-labels-idx1-ubyte", labels_file(3));
    put("t10k-images-idx3-ubyte", images_file(2));
    put("t10k-labels-idx1-ubyte", labels_file(2));
  }

  std::filesystem::path path_of(const std::string& file) const {
    return scratch_.path() / GetParam().folder / (file + (GetParam().compressed ? ".gz" : ""));
  }
  void put(const std::string& file, const Bytes& bytes) const {
    test::write_bytes(path_of(file), GetParam().compressed && !bytes.empty() ? test::gzip(bytes) : bytes);
  }
  DataOptions options() const {
    DataOptions result;
    result.name = GetParam().name;
    result.path = scratch_.path();
    return result;
  }
  /// Opening must fail with the path of `file`, the offset, expected and found.
  void expect_rejected(const std::string& file, std::size_t offset, const std::string& expected,
                       const std::string& found) const {
    const std::string place =
        concat(": byte ", offset, GetParam().compressed ? " (uncompressed)" : "", ": expected ");
    expect_bad_input([&] { open_dataset(options(), 0); }, {path_of(file).string() + place, expected, found});
  }

  test::Scratch scratch_;
};

TEST_P(Idx, ReadsShapesPixelsAndLabels) {
  const DataSplits splits = open_dataset(options(), 0);
  EXPECT_EQ(splits.train->is_mapped(), !GetParam().compressed);
  EXPECT_EQ(splits.train->size(), 3);
  EXPECT_EQ(splits.test->size(), 2);
  EXPECT_EQ(splits.train->shape(), (ImageShape{28, 28, 1}));
  EXPECT_EQ(splits.train->classes(), 10);
  Bytes image(kImage);
  constexpr std::array kLabels = {9, 6, 3};
  for (std::size_t i = 0; i < kLabels.size(); ++i) {
    EXPECT_EQ(splits.train->read(static_cast<std::int64_t>(i), image), kLabels[i]);
    for (std::size_t j = 0; j < kImage; ++j) {
      ASSERT_EQ(image[j], pixel(i, j)) << "image " << i << ", pixel " << j;
    }
  }
}

TEST_P(Idx, EveryWrongMagicByte) {
  for (std::size_t offset = 0; offset < 4; ++offset) {
    for (const char* file : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
      const bool images = std::string(file).find("images") != std::string::npos;
      const Bytes good = images ? images_file(3) : labels_file(2);
      Bytes bad = good;
      bad[offset] = 0x5A;
      put(file, bad);
      expect_rejected(file, offset, images ? "0x00000803" : "0x00000801", "found 0x5a");
      put(file, good);
    }
  }
}

TEST_P(Idx, WrongSize) {
  Bytes bad = images_file(3);
  bad[11] = 27;
  put("train-images-idx3-ubyte", bad);
  expect_rejected("train-images-idx3-ubyte", 8, "28 rows", "found 27");
  bad[11] = 28;
  bad[12] = 1;
  put("train-images-idx3-ubyte", bad);
  expect_rejected("train-images-idx3-ubyte", 12, "28 columns", "found 16777244");
}

TEST_P(Idx, NoImages) {
  put("train-images-idx3-ubyte", images_file(0));
  expect_rejected("train-images-idx3-ubyte", 4, "at least 1", "found 0");
}

TEST_P(Idx, Truncated) {
  for (const std::size_t size : {1U, 15U, 16U, 17U, 16U + 3U * 784U - 1U}) {
    Bytes bad = images_file(3);
    bad.resize(size);
    put("train-images-idx3-ubyte", bad);
    expect_rejected("train-images-idx3-ubyte", size, size < 16 ? "16 bytes" : "2368 bytes",
                    concat("the end after ", size));
  }
  put("train-images-idx3-ubyte", images_file(3));
  for (const std::size_t size : {1U, 7U, 8U, 9U}) {
    Bytes bad = labels_file(2);
    bad.resize(size);
    put("t10k-labels-idx1-ubyte", bad);
    expect_rejected("t10k-labels-idx1-ubyte", size, size < 8 ? "8 bytes" : "10 bytes",
                    concat("the end after ", size));
  }
}

TEST_P(Idx, CountOfAllBitsDoesNotAllocate) {
  Bytes bad = images_file(3);
  std::fill_n(bad.begin() + 4, 4, std::uint8_t{0xFF});
  put("train-images-idx3-ubyte", bad);
  expect_rejected("train-images-idx3-ubyte", 4, "at most 1000000 items", "found 4294967295");
}

TEST_P(Idx, Surplus) {
  Bytes bad = images_file(2);
  bad.push_back(0);
  put("t10k-images-idx3-ubyte", bad);
  expect_rejected("t10k-images-idx3-ubyte", 16 + 2 * kImage, "the end after 1584 bytes", "1 surplus");
  put("t10k-images-idx3-ubyte", images_file(2));
  bad = labels_file(3);
  bad.resize(bad.size() + 5);
  put("train-labels-idx1-ubyte", bad);
  expect_rejected("train-labels-idx1-ubyte", 11, "the end after 11 bytes", "5 surplus");
}

TEST_P(Idx, CountsOfImagesAndLabelsDiffer) {
  put("train-labels-idx1-ubyte", labels_file(2));
  expect_rejected("train-labels-idx1-ubyte", 4, "3 labels", "found 2");
}

TEST_P(Idx, LabelOutOfRange) {
  Bytes bad = labels_file(3);
  bad[9] = 10;
  put("train-labels-idx1-ubyte", bad);
  expect_rejected("train-labels-idx1-ubyte", 9, "a label 0..9", "found 10");
}

TEST_P(Idx, EmptyFile) {
  put("t10k-images-idx3-ubyte", {});
  expect_bad_input([&] { open_dataset(options(), 0); },
                   {path_of("t10k-images-idx3-ubyte").string(), "byte 0", "expected data", "empty"});
}

TEST_P(Idx, FolderUnreadableAndMissing) {
  const std::filesystem::path path = path_of("train-labels-idx1-ubyte");
  std::filesystem::remove(path);
  expect_bad_input([&] { open_dataset(options(), 0); },
                   {"missing", "train-labels-idx1-ubyte", "data/fetch.sh"});
  std::filesystem::create_directory(path);
  expect_bad_input([&] { open_dataset(options(), 0); }, {path.string(), "not a regular file"});
  std::filesystem::remove(path);
  std::filesystem::create_symlink(path.filename(), path);  // a loop: cannot be opened even by root
  expect_bad_input([&] { open_dataset(options(), 0); }, {path.string(), "symbolic links"});
}

TEST_P(Idx, SamplesCutTheSplits) {
  DataOptions cut = options();
  cut.train_samples = 2;
  cut.test_samples = 1;
  const DataSplits splits = open_dataset(cut, 0);
  EXPECT_EQ(splits.train->size(), 2);
  EXPECT_EQ(splits.test->size(), 1);
  cut.train_samples = 4;
  expect_bad_input([&] { open_dataset(cut, 0); }, {"data.train_samples is 4", "3 images"});
  cut.train_samples = 3;
  cut.test_samples = -1;
  expect_bad_input([&] { open_dataset(cut, 0); }, {"data.test_samples is -1", "2 images"});
}

INSTANTIATE_TEST_SUITE_P(Family, Idx,
                         testing::Values(Member{"mnist", "mnist", false}, Member{"mnist", "mnist", true},
                                         Member{"fashion_mnist", "fashion-mnist", false},
                                         Member{"fashion_mnist", "fashion-mnist", true},
                                         Member{"kmnist", "kmnist", false}, Member{"kmnist", "kmnist", true}),
                         [](const auto& member) {
                           return std::string(member.param.name) + (member.param.compressed ? "_gz" : "");
                         });

using IdxGzip = Idx;

TEST_P(IdxGzip, BrokenAndTruncatedGzip) {
  const std::filesystem::path path = path_of("train-images-idx3-ubyte");
  const Bytes good = test::gzip(images_file(3));
  Bytes bad = good;
  bad.resize(bad.size() - 1);
  test::write_bytes(path, bad);
  expect_bad_input([&] { open_dataset(options(), 0); },
                   {path.string(), concat("byte ", bad.size(), " (compressed)"), "expected more", "the end"});
  bad = good;
  bad[bad.size() - 5] ^= 1;  // last byte of the checksum
  test::write_bytes(path, bad);
  expect_bad_input([&] { open_dataset(options(), 0); },
                   {path.string(), "(compressed)", "incorrect data check"});
  test::write_bytes(path, images_file(3));  // not compressed at all
  expect_bad_input([&] { open_dataset(options(), 0); },
                   {path.string(), "(compressed)", "incorrect header check"});
}

INSTANTIATE_TEST_SUITE_P(Family, IdxGzip,
                         testing::Values(Member{"mnist", "mnist", true},
                                         Member{"fashion_mnist", "fashion-mnist", true},
                                         Member{"kmnist", "kmnist", true}),
                         [](const auto& member) { return std::string(member.param.name); });

TEST(IdxNormalization, PublishedConstants) {
  const test::Scratch scratch;
  for (const char* folder : {"mnist", "fashion-mnist", "kmnist"}) {
    for (const char* split : {"train", "t10k"}) {
      test::write_bytes(scratch.path() / folder / concat(split, "-images-idx3-ubyte"), images_file(1));
      test::write_bytes(scratch.path() / folder / concat(split, "-labels-idx1-ubyte"), labels_file(1));
    }
  }
  const auto constants = [&](const char* name) {
    DataOptions options;
    options.name = name;
    options.path = scratch.path();
    const Normalization normalization = open_dataset(options, 0).normalization;
    return std::pair(normalization.mean[0], normalization.deviation[0]);
  };
  EXPECT_EQ(constants("mnist"), std::pair(0.1307F, 0.3081F));
  EXPECT_EQ(constants("fashion_mnist"), std::pair(0.2860F, 0.3530F));
  EXPECT_EQ(constants("kmnist"), std::pair(0.1918F, 0.3483F));
}

}  // namespace
}  // namespace adapt
