#include "hdf5/untrusted.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "hdf5/file.hpp"

namespace adapt::hdf5 {
namespace {

/// A file with text attributes, so with one heap.
std::vector<std::byte> sample() {
  const File file = File::create();
  Group root = file.root();
  root.set_attribute("a", "hello");
  root.set_attribute("b", "a text of more than eight bytes");
  return file.image();
}

std::size_t heap_of(const std::vector<std::byte>& image) {
  return std::string_view(reinterpret_cast<const char*>(image.data()), image.size()).find("GCOL");
}

TEST(Untrusted, WholeFilesAndOtherFilesPass) {
  EXPECT_NO_THROW(check_untrusted(sample()));
  EXPECT_NO_THROW(check_untrusted({}));
  EXPECT_NO_THROW(check_untrusted(std::vector<std::byte>(1000)));
}

TEST(Untrusted, OtherFormatsAreRefused) {
  for (const int version : {0, 1, 2, 4}) {
    std::vector<std::byte> image = sample();
    image[8] = static_cast<std::byte>(version);
    EXPECT_THROW(check_untrusted(image), Error) << version;
  }
}

TEST(Untrusted, DamagedHeapsAreRefused) {
  const std::vector<std::byte> good = sample();
  const std::size_t heap = heap_of(good);
  ASSERT_NE(heap, std::string_view::npos);
  constexpr std::size_t kHeapSize = 8;
  constexpr std::size_t kFirstIndex = 16;
  constexpr std::size_t kFirstSize = 24;
  constexpr std::size_t kSecondIndex = 16 + 16 + 8;  // behind the header and "hello", padded
  const auto damaged = [&](std::size_t at, int value) {
    std::vector<std::byte> image = good;
    image[heap + at] = static_cast<std::byte>(value);
    return image;
  };
  EXPECT_NO_THROW(check_untrusted(damaged(kSecondIndex, 2))) << "the value it has";
  EXPECT_THROW(check_untrusted(damaged(kHeapSize + 7, 1)), Error) << "larger than the file";
  EXPECT_THROW(check_untrusted(damaged(kHeapSize + 1, 0)), Error) << "smaller than its header";
  EXPECT_THROW(check_untrusted(damaged(kFirstSize + 7, 0xff)), Error) << "object larger than the heap";
  EXPECT_THROW(check_untrusted(damaged(kFirstSize, 100)), Error) << "object over the next one";
  EXPECT_THROW(check_untrusted(damaged(kSecondIndex, 1)), Error) << "two objects of one index";
  EXPECT_THROW(check_untrusted(damaged(kFirstIndex, 0)), Error) << "free space smaller than a header";
  EXPECT_THROW(check_untrusted(std::span(good).first(heap + 10)), Error) << "cut off";
}

}  // namespace
}  // namespace adapt::hdf5
