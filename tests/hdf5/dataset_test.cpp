#include "hdf5/dataset.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "hdf5/file.hpp"

namespace adapt::hdf5 {
namespace {

template <class T>
class Series : public ::testing::Test {};
using Numbers = ::testing::Types<std::int8_t, std::int16_t, std::int32_t, std::int64_t, float, double>;
TYPED_TEST_SUITE(Series, Numbers);

TYPED_TEST(Series, AppendsAcrossChunksInAnyPortions) {
  const File file = File::create();
  Dataset series = file.root().create_series("s", Datatype::of<TypeParam>(), 8);
  std::vector<TypeParam> expected;
  for (const std::size_t portion : {0, 1, 7, 8, 9, 20, 1}) {
    std::vector<TypeParam> rows(portion);
    std::iota(rows.begin(), rows.end(), static_cast<TypeParam>(expected.size()));
    series.append(std::span<const TypeParam>(rows));
    expected.insert(expected.end(), rows.begin(), rows.end());
    EXPECT_EQ(series.read<TypeParam>(), expected);
  }
  const File copy = File::open(file.image(), "copy");
  EXPECT_EQ(copy.root().dataset("s").read<TypeParam>(), expected);
}

TEST(Dataset, FixedTextsAppend) {
  const File file = File::create();
  Dataset series = file.root().create_series("s", Datatype::of<FixedText<3>>(), 2);
  const std::vector<FixedText<3>> rows = {FixedText<3>("min"), FixedText<3>(""), FixedText<3>("a")};
  series.append(std::span<const FixedText<3>>(rows));
  const auto read = series.read<FixedText<3>>();
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].text(), "min");
  EXPECT_EQ(read[1].text(), "");
  EXPECT_EQ(read[2].text(), "a");
}

TEST(Dataset, CompoundRowsAppend) {
  struct Row {
    std::int8_t a = 0;
    double b = 0;
  };
  Datatype memory = Datatype::compound(sizeof(Row));
  memory.insert("a", offsetof(Row, a), Datatype::of<std::int8_t>());
  memory.insert("b", offsetof(Row, b), Datatype::of<double>());
  const File file = File::create();
  Dataset series = file.root().create_series("s", memory.packed(), 4);
  const std::vector<Row> rows = {{1, 0.5}, {-2, 1e300}};
  series.append(std::span<const Row>(rows), memory);
  const std::vector<Row> read = series.read<Row>(memory);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[1].a, -2);
  EXPECT_EQ(read[1].b, 1e300);
}

TEST(Dataset, ReadsConvertWithinAKindOnly) {
  const File file = File::create();
  Dataset series = file.root().create_series("s", Datatype::of<std::int8_t>(), 4);
  const std::vector<std::int8_t> rows = {-128, 127};
  series.append(std::span<const std::int8_t>(rows));
  EXPECT_EQ(series.read<std::int64_t>(), (std::vector<std::int64_t>{-128, 127}));
  EXPECT_THROW(static_cast<void>(series.read<double>()), Error);
  EXPECT_THROW(static_cast<void>(series.read<FixedText<4>>()), Error);
  EXPECT_THROW(static_cast<void>(series.read_text()), Error);
}

TEST(Dataset, AFixedShapeDoesNotGrow) {
  const File file = File::create();
  const std::vector<std::int64_t> dims = {2, 1};
  const std::vector<float> elements = {1, 2};
  Dataset array = file.root().create_array("a", std::span(dims), std::span<const float>(elements));
  EXPECT_THROW(array.append(std::span<const float>(elements)), Error);
}

TEST(Dataset, TextsComeBack) {
  const File file = File::create();
  Group root = file.root();
  EXPECT_EQ(root.create_text("empty", "").read_text(), "");
  const std::string longer(1000000, 'y');
  EXPECT_EQ(root.create_text("long", longer).read_text(), longer);
}

TEST(Dataset, RepeatedValuesCompressBelowTheLargestExpansion) {
  // The bound against absurd sizes must let the best case of deflate pass.
  const File file = File::create();
  Dataset series = file.root().create_series("s", Datatype::of<double>(), 4096);
  const std::vector<double> rows(100000, 0.0);
  series.append(std::span<const double>(rows));
  const File copy = File::open(file.image(), "copy");
  EXPECT_EQ(copy.root().dataset("s").read<double>(), rows);
}

}  // namespace
}  // namespace adapt::hdf5
