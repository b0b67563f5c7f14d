// Files that want more than to be read: made with the C API, as another program would.

#include "hdf5/untrusted.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string_view>
#include <vector>

#include "hdf5/file.hpp"
#include "hdf5/superblock.hpp"
#include "support/scratch.hpp"

namespace adapt::hdf5 {
namespace {

constexpr hsize_t kRows = 4;

/// A file in the scratch folder, with all that `fill` makes in its root, as bytes.
std::vector<std::byte> image_of(const test::Scratch& scratch, const std::function<void(hid_t file)>& fill) {
  const std::string path = scratch.path() / "made.h5";
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110);
  {
    const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()), H5Fclose);
    fill(file.id());
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// Creates a dataset "d" of `rows` numbers as `list` says.
void create_dataset(hid_t file, const Handle& list, hsize_t rows = kRows) {
  const Handle space(H5Screate_simple(1, &rows, nullptr), H5Sclose);
  const Handle dataset(
      H5Dcreate2(file, "d", H5T_NATIVE_INT32, space.id(), H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Dclose);
  ASSERT_GE(dataset.id(), 0);
  const std::vector<int> values(kRows, 7);
  if (rows == kRows && H5Pget_layout(list.id()) != H5D_VIRTUAL && H5Pget_external_count(list.id()) == 0) {
    H5Dwrite(dataset.id(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
}

Handle creation() { return {H5Pcreate(H5P_DATASET_CREATE), H5Pclose}; }

Handle chunked() {
  Handle list = creation();
  H5Pset_chunk(list.id(), 1, &kRows);
  return list;
}

/// The error that reading "d" throws; "read" where it does not.
std::string refusal(const std::vector<std::byte>& image) {
  const File file = File::open(image, "test.h5");
  try {
    static_cast<void>(file.root().dataset("d").read<std::int32_t>());
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

TEST(Untrusted, WhatLiesInTheFileIsRead) {
  const test::Scratch scratch;
  EXPECT_EQ(refusal(image_of(scratch, [](hid_t file) { create_dataset(file, creation()); })), "read");
  EXPECT_EQ(refusal(image_of(scratch,
                             [](hid_t file) {
                               const Handle list = chunked();
                               H5Pset_shuffle(list.id());
                               H5Pset_deflate(list.id(), 4);
                               H5Pset_fletcher32(list.id());
                               create_dataset(file, list);
                             })),
            "read");
}

TEST(Untrusted, LinksToElsewhereAreRefused) {
  const test::Scratch scratch;
  const std::string other = scratch.path() / "other.h5";
  image_of(scratch, [](hid_t file) { create_dataset(file, creation()); });
  std::filesystem::rename(scratch.path() / "made.h5", other);
  EXPECT_EQ(refusal(image_of(scratch,
                             [&](hid_t file) {
                               H5Lcreate_external(other.c_str(), "/d", file, "d", H5P_DEFAULT, H5P_DEFAULT);
                             })),
            "/d is a link to another file, expected an object of this file");
  EXPECT_EQ(refusal(image_of(scratch,
                             [](hid_t file) { H5Lcreate_soft("/e", file, "d", H5P_DEFAULT, H5P_DEFAULT); })),
            "/d is a soft link, expected an object of this file");
}

TEST(Untrusted, GroupsBehindALinkAreRefused) {
  const test::Scratch scratch;
  const std::string other = scratch.path() / "other.h5";
  image_of(scratch, [](hid_t /*file*/) {});
  std::filesystem::rename(scratch.path() / "made.h5", other);
  const File file = File::open(
      image_of(
          scratch,
          [&](hid_t made) { H5Lcreate_external(other.c_str(), "/", made, "g", H5P_DEFAULT, H5P_DEFAULT); }),
      "test.h5");
  EXPECT_THROW(static_cast<void>(file.root().group("g")), Error);
}

TEST(Untrusted, StorageInOtherFilesIsRefused) {
  const test::Scratch scratch;
  const std::string secret = scratch.path() / "secret";
  std::ofstream(secret) << std::string(kRows * sizeof(std::int32_t), 's');
  const std::string expected = "/d is stored in other files, expected all in one";
  EXPECT_EQ(refusal(image_of(scratch,
                             [&](hid_t file) {
                               const Handle list = creation();
                               H5Pset_external(list.id(), secret.c_str(), 0, kRows * sizeof(std::int32_t));
                               create_dataset(file, list);
                             })),
            expected);
  EXPECT_EQ(refusal(image_of(scratch,
                             [&](hid_t file) {
                               const Handle list = creation();
                               const Handle space(H5Screate_simple(1, &kRows, nullptr), H5Sclose);
                               H5Pset_virtual(list.id(), space.id(), secret.c_str(), "d", space.id());
                               create_dataset(file, list);
                             })),
            expected);
}

TEST(Untrusted, OtherFiltersAreRefused) {
  const test::Scratch scratch;
  EXPECT_EQ(refusal(image_of(scratch,
                             [](hid_t file) {
                               const Handle list = chunked();
                               H5Pset_nbit(list.id());
                               create_dataset(file, list);
                             })),
            "/d is stored with filter 5, expected shuffle and deflate only");
  constexpr H5Z_filter_t kPlugin = 32001;
  EXPECT_EQ(refusal(image_of(scratch,
                             [](hid_t file) {
                               const Handle list = chunked();
                               H5Pset_filter(list.id(), kPlugin, H5Z_FLAG_OPTIONAL, 0, nullptr);
                               create_dataset(file, list);
                             })),
            "/d is stored with filter 32001, expected shuffle and deflate only");
}

TEST(Untrusted, PluginsAreNotLoaded) {
  const test::Scratch scratch;
  refusal(image_of(scratch, [](hid_t file) { create_dataset(file, creation()); }));
  unsigned mask = H5PL_ALL_PLUGIN;
  H5PLget_loading_state(&mask);
  EXPECT_EQ(mask, 0U);
}

TEST(Untrusted, ClaimsBeyondTheFileAreRefused) {
  const test::Scratch scratch;
  const std::string never_written =
      refusal(image_of(scratch, [](hid_t file) { create_dataset(file, chunked(), hsize_t{1} << 50U); }));
  EXPECT_NE(never_written.find("/d claims more elements than its"), std::string::npos) << never_written;
  // A text of 2 GB, of which nothing is stored.
  const File file = File::open(image_of(scratch,
                                        [](hid_t made) {
                                          const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
                                          H5Tset_size(type.id(), std::size_t{1} << 31U);
                                          const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
                                          const Handle text(H5Dcreate2(made, "t", type.id(), space.id(),
                                                                       H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                                                            H5Dclose);
                                        }),
                               "test.h5");
  EXPECT_THROW(static_cast<void>(file.root().dataset("t").read_text()), Error);
}

/// Little-endian.
template <class T>
void put(std::vector<std::byte>& image, std::size_t at, T number) {
  std::memcpy(image.data() + at, &number, sizeof(number));
}

TEST(Untrusted, AnIndexThatClaimsManyChunksTakesNoTime) {
  const test::Scratch scratch;
  std::vector<std::byte> image = image_of(scratch, [](hid_t file) {
    const hsize_t unlimited = H5S_UNLIMITED;
    const Handle space(H5Screate_simple(1, &kRows, &unlimited), H5Sclose);
    const Handle list = chunked();
    const Handle dataset(
        H5Dcreate2(file, "d", H5T_NATIVE_INT32, space.id(), H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Dclose);
    const std::array<std::int32_t, kRows> values = {1, 2, 3, 4};
    H5Dwrite(dataset.id(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  });
  // The header of an extensible array: the largest index, and the checksum of all before it.
  constexpr std::string_view kHeader = "EAHD";
  constexpr std::size_t kLargest = 44;
  constexpr std::size_t kChecksum = 68;
  const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
  const std::size_t at = text.find(kHeader);
  ASSERT_NE(at, std::string_view::npos);
  put(image, at + kLargest, std::uint64_t{1} << 60U);
  put(image, at + kChecksum, lookup3(std::span(image).subspan(at, kChecksum)));
  EXPECT_EQ(refusal(image), "read");
}

}  // namespace
}  // namespace adapt::hdf5
