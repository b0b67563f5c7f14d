// Readers of CIFAR-10 and CIFAR-100 against files written here from the format's definition: small ones, read
// with layouts that ask for two records in each file, and sparse ones of the official sizes.

#include "data/cifar.hpp"

#include "fixtures.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::Bytes;
using test::expect_bad_input;

constexpr std::size_t kPlane = 32 * 32;

std::uint8_t pixel(std::size_t image, std::size_t channel, std::size_t position) {
  return static_cast<std::uint8_t>(17 * image + 71 * channel + position % 241);
}

struct Member {
  const char* name;
  CifarLayout (*layout)();
  const char* folder;
  std::vector<const char*> train_files;
  const char* test_file;
  std::size_t train_records;
  std::size_t test_records;
  std::size_t label_bytes;
  int classes;
  std::size_t record() const { return label_bytes + 3 * kPlane; }
};

const Member kCifar10{
    "cifar10",
    cifar10_layout,
    "cifar-10-batches-bin",
    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
    "test_batch.bin",
    10000,
    10000,
    1,
    10};
const Member kCifar100{
    "cifar100", cifar100_layout, "cifar-100-binary", {"train.bin"}, "test.bin", 50000, 10000, 2, 100};

std::string name_of(const testing::TestParamInfo<Member>& member) { return member.param.name; }

/// Two records in each file. Image k of the training split has label (3k + 1) mod classes.
class Cifar : public testing::TestWithParam<Member> {
 protected:
  Cifar() {
    for (std::size_t i = 0; i < GetParam().train_files.size(); ++i) {
      put(GetParam().train_files[i], records(2 * i, 2));
    }
    put(GetParam().test_file, records(100, 2));
  }

  static Bytes records(std::size_t first, std::size_t count) {
    Bytes bytes;
    for (std::size_t image = first; image < first + count; ++image) {
      if (GetParam().label_bytes == 2) {
        bytes.push_back(static_cast<std::uint8_t>(image % 20));  // coarse label: not used
      }
      bytes.push_back(
          static_cast<std::uint8_t>((3 * image + 1) % static_cast<std::size_t>(GetParam().classes)));
      for (std::size_t channel = 0; channel < 3; ++channel) {
        for (std::size_t position = 0; position < kPlane; ++position) {
          bytes.push_back(pixel(image, channel, position));
        }
      }
    }
    return bytes;
  }
  std::filesystem::path path_of(const std::string& file) const {
    return scratch_.path() / GetParam().folder / file;
  }
  void put(const std::string& file, const Bytes& bytes) const { test::write_bytes(path_of(file), bytes); }
  /// The official layout but for the number of records.
  static CifarLayout layout() {
    CifarLayout small = GetParam().layout();
    small.train_records = 2;
    small.test_records = 2;
    return small;
  }
  DataSplits open() const { return open_cifar(options(), layout()); }
  DataOptions options() const {
    DataOptions result;
    result.name = GetParam().name;
    result.path = scratch_.path();
    return result;
  }
  void expect_rejected(const std::string& file, const std::vector<std::string>& parts) const {
    for (const std::string& part : parts) {
      expect_bad_input([&] { open(); }, {path_of(file).string(), part});
    }
  }

  test::Scratch scratch_;
};

TEST_P(Cifar, ReadsAllFilesInOrderChannelsLast) {
  const DataSplits splits = open();
  const std::size_t count = 2 * GetParam().train_files.size();
  ASSERT_EQ(splits.train->size(), static_cast<std::int64_t>(count));
  EXPECT_EQ(splits.test->size(), 2);
  EXPECT_EQ(splits.test->shape(), (ImageShape{32, 32, 3}));
  EXPECT_EQ(splits.train->classes(), GetParam().classes);
  EXPECT_TRUE(splits.train->is_mapped());
  Bytes image(3 * kPlane);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(splits.train->read(static_cast<std::int64_t>(i), image),
              static_cast<int>(3 * i + 1) % GetParam().classes);
    for (std::size_t j = 0; j < image.size(); ++j) {
      ASSERT_EQ(image[j], pixel(i, j % 3, j / 3)) << "image " << i << ", byte " << j;
    }
  }
}

/// A file may end within a record or between two.
TEST_P(Cifar, Truncated) {
  const std::size_t record = GetParam().record();
  std::vector<std::string> files = layout().train_files;
  files.emplace_back(GetParam().test_file);
  for (const std::string& file : files) {
    for (const std::size_t size : {std::size_t{1}, record - 1, record, record + 1, 2 * record - 1}) {
      Bytes bad = records(0, 2);
      bad.resize(size);
      put(file, bad);
      expect_rejected(file, {concat(": byte ", size, ": expected ", 2 * record, " bytes (2 records of ",
                                    record, " bytes)"),
                             concat("found the end after ", size, " bytes: a truncated file")});
    }
    put(file, records(0, 2));
  }
}

TEST_P(Cifar, Surplus) {
  const std::size_t record = GetParam().record();
  for (const char* file : {GetParam().train_files.back(), GetParam().test_file}) {
    for (const std::size_t surplus : {std::size_t{1}, record}) {
      Bytes bad = records(0, 3);
      bad.resize(2 * record + surplus);
      put(file, bad);
      expect_rejected(file, {concat(": byte ", 2 * record, ": expected the end after ", 2 * record, " bytes"),
                             concat("found ", surplus, " surplus bytes")});
    }
    put(file, records(0, 2));
  }
}

TEST_P(Cifar, LabelOutOfRange) {
  const std::size_t offset = GetParam().record() + GetParam().label_bytes - 1;
  Bytes bad = records(0, 2);
  bad[offset] = static_cast<std::uint8_t>(GetParam().classes);
  put(GetParam().test_file, bad);
  expect_rejected(GetParam().test_file,
                  {concat(": byte ", offset, ": expected a label 0..", GetParam().classes - 1),
                   concat("found ", GetParam().classes)});
}

TEST_P(Cifar, EmptyFolderUnreadableAndMissing) {
  const std::string file = GetParam().train_files.back();
  put(file, {});
  expect_rejected(file, {": byte 0: expected data", "empty"});
  std::filesystem::remove(path_of(file));
  expect_rejected(file, {"missing", "data/fetch.sh"});
  std::filesystem::create_directory(path_of(file));
  expect_rejected(file, {"not a regular file"});
  std::filesystem::remove(path_of(file));
  std::filesystem::create_symlink(file, path_of(file));  // a loop: cannot be opened even by root
  expect_rejected(file, {"symbolic links"});
}

TEST_P(Cifar, SamplesCutTheSplits) {
  DataOptions cut = options();
  cut.train_samples = 1;
  EXPECT_EQ(open_cifar(cut, layout()).train->size(), 1);
  cut.train_samples = 0;
  cut.test_samples = 3;
  expect_bad_input([&] { open_cifar(cut, layout()); }, {"data.test_samples is 3", "2 images"});
}

INSTANTIATE_TEST_SUITE_P(Family, Cifar, testing::Values(kCifar10, kCifar100), name_of);

class Cifar100 : public Cifar {};

TEST_P(Cifar100, CoarseLabelOutOfRange) {
  Bytes bad = records(0, 2);
  bad[0] = 20;
  put("train.bin", bad);
  expect_rejected("train.bin", {": byte 0: expected a label 0..19, found 20"});
}

INSTANTIATE_TEST_SUITE_P(Family, Cifar100, testing::Values(kCifar100));

/// Files of the official sizes, all zero and so without need of space on the disk.
class OfficialCifar : public testing::TestWithParam<Member> {
 protected:
  OfficialCifar() {
    options_.name = GetParam().name;
    options_.path = scratch_.path();
    for (const char* file : GetParam().train_files) {
      resize(file, GetParam().train_records);
    }
    resize(GetParam().test_file, GetParam().test_records);
  }

  std::filesystem::path path_of(const std::string& file) const {
    return scratch_.path() / GetParam().folder / file;
  }
  void resize(const std::string& file, std::size_t records) const {
    if (!std::filesystem::exists(path_of(file))) {
      test::write_bytes(path_of(file), {});
    }
    std::filesystem::resize_file(path_of(file), records * GetParam().record());
  }
  void expect_rejected(const std::string& file, std::size_t records, const std::string& found) const {
    resize(file, records);
    expect_bad_input([&] { open_dataset(options_, 0); }, {path_of(file).string(), found});
  }

  test::Scratch scratch_;
  DataOptions options_;
};

TEST_P(OfficialCifar, FilesOfTheOfficialSizesAreTaken) {
  const DataSplits splits = open_dataset(options_, 0);
  EXPECT_EQ(splits.train->size(), 50000);
  EXPECT_EQ(splits.test->size(), 10000);
}

TEST_P(OfficialCifar, ARecordMoreOrLessIsNot) {
  expect_rejected(GetParam().test_file, 9999, concat("found the end after ", 9999 * GetParam().record()));
  expect_rejected(GetParam().test_file, 10001, concat("found ", GetParam().record(), " surplus bytes"));
  const std::string train = GetParam().train_files.front();
  const std::size_t less = GetParam().train_records - 1;
  expect_rejected(train, less, concat("found the end after ", less * GetParam().record()));
  expect_rejected(train, less + 2, concat("found ", GetParam().record(), " surplus bytes"));
}

INSTANTIATE_TEST_SUITE_P(Family, OfficialCifar, testing::Values(kCifar10, kCifar100), name_of);

}  // namespace
}  // namespace adapt
