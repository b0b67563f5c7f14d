#include "data/source_file.hpp"

#include <cstdlib>
#include <optional>

#include "fixtures.hpp"
#include "support/scratch.hpp"

namespace adapt {
namespace {

using test::expect_bad_input;

/// A file whose first byte is its size.
SourceFile read_sized(const std::filesystem::path& path) {
  return read_source_or_gzip(path, 1, [](const SourceFile& file) -> ExpectedSize {
    return {file.bytes[0], "things"};
  });
}

test::Bytes bytes_of(const SourceFile& file) { return {file.bytes.begin(), file.bytes.end()}; }

/// Sets or removes ADAPT_DATA and the working folder, and puts them back.
class SourceFolder : public testing::Test {
 protected:
  SourceFolder() : folder_(std::filesystem::current_path()) {
    if (const char* value = std::getenv("ADAPT_DATA")) {
      variable_.emplace(value);
    }
    ::unsetenv("ADAPT_DATA");
    std::filesystem::current_path(scratch_.path());
    options_.name = "mnist";
  }
  ~SourceFolder() override {
    std::filesystem::current_path(folder_);
    variable_ ? ::setenv("ADAPT_DATA", variable_->c_str(), 1) : ::unsetenv("ADAPT_DATA");
  }

  test::Scratch scratch_;
  std::filesystem::path folder_;
  std::optional<std::string> variable_;
  DataOptions options_;
};

TEST_F(SourceFolder, PathThenVariableThenData) {
  for (const char* parent : {"given", "variable", "data"}) {
    std::filesystem::create_directories(std::filesystem::path(parent) / "mnist");
  }
  EXPECT_EQ(find_dataset_folder(options_, "mnist"), "data/mnist");
  ::setenv("ADAPT_DATA", "variable", 1);
  EXPECT_EQ(find_dataset_folder(options_, "mnist"), "variable/mnist");
  options_.path = "given";
  EXPECT_EQ(find_dataset_folder(options_, "mnist"), "given/mnist");
  ::setenv("ADAPT_DATA", "", 1);
  options_.path.clear();
  EXPECT_EQ(find_dataset_folder(options_, "mnist"), "data/mnist");
}

TEST_F(SourceFolder, MissingSaysWhereAndHow) {
  const auto find = [&] { find_dataset_folder(options_, "mnist"); };
  expect_bad_input(find,
                   {"mnist not found", "data/mnist", "default", "`data/fetch.sh mnist data`", "procedural"});
  ::setenv("ADAPT_DATA", "/elsewhere", 1);
  expect_bad_input(find, {"/elsewhere/mnist", "$ADAPT_DATA", "`data/fetch.sh mnist /elsewhere`"});
  options_.path = "/given";
  expect_bad_input(find, {"/given/mnist", "data.path"});
  options_.path = scratch_.path();
  test::write_bytes(scratch_.path() / "mnist", {1});  // a file where the folder should be
  expect_bad_input(find, {"no folder"});
}

TEST_F(SourceFolder, PlainFileWinsOverGzip) {
  test::write_bytes(scratch_.path() / "x", {1});
  test::write_bytes(scratch_.path() / "x.gz", test::gzip({2, 0}));
  const SourceFile plain = read_sized(scratch_.path() / "x");
  EXPECT_EQ(bytes_of(plain), test::Bytes{1});
  EXPECT_FALSE(plain.compressed);
  std::filesystem::remove(scratch_.path() / "x");
  const SourceFile inflated = read_sized(scratch_.path() / "x");
  EXPECT_EQ(bytes_of(inflated), (test::Bytes{2, 0}));
  EXPECT_EQ(inflated.path, scratch_.path() / "x.gz");
}

TEST_F(SourceFolder, TheHeaderSaysHowMuchIsInflated) {
  test::Bytes zeros(64U << 20U);
  zeros[0] = 3;
  test::write_bytes(scratch_.path() / "x.gz", test::gzip(zeros));
  expect_bad_input([&] { read_sized(scratch_.path() / "x"); },
                   {"x.gz: byte 3 (uncompressed): expected the end after 3 bytes (things)",
                    "found 4096 surplus bytes or more"});
}

TEST_F(SourceFolder, GzipOfNothingIsRejected) {
  test::write_bytes(scratch_.path() / "x.gz", test::gzip({}));
  expect_bad_input([&] { read_sized(scratch_.path() / "x"); },
                   {"x.gz: byte 0 (uncompressed): expected data, found nothing"});
}

}  // namespace
}  // namespace adapt
