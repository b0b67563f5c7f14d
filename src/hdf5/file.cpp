#include "hdf5/file.hpp"

#include <atomic>
#include <cstdlib>

#include "hdf5/call.hpp"
#include "hdf5/superblock.hpp"
#include "hdf5/untrusted.hpp"

namespace adapt::hdf5 {
namespace {

/// The image in memory grows in steps of this many bytes.
constexpr std::size_t kGrowth = std::size_t{1} << 20;

/// HDF5 takes two files in memory with the same name for one file: every file gets a name of its own.
std::string unique_name() {
  static std::atomic<std::uint64_t> count = 0;
  return concat("memory-", count++);
}

/// File access in memory, never written to a file by HDF5.
Handle memory_access() {
  Handle list(checked("create a property list", [] { return H5Pcreate(H5P_FILE_ACCESS); }), H5Pclose);
  checked("choose HDF5's memory driver", [&] { return H5Pset_fapl_core(list.id(), kGrowth, 0); });
  return list;
}

}  // namespace

File File::create() {
  const Handle access = memory_access();
  checked("choose HDF5's format version",
          [&] { return H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110); });
  return File(Handle(
      checked("create an HDF5 file in memory",
              [&] { return H5Fcreate(unique_name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()); }),
      H5Fclose));
}

File File::open(std::span<const std::byte> image, const std::string& name) {
  const std::string what = concat("open ", name);
  if (image.empty()) {
    throw Error(concat(what, ": it is empty"));
  }
  refuse_plugins();
  const Handle access = memory_access();
  // HDF5 copies the bytes: it takes a pointer to non-const, but does not write through it.
  checked(what,
          [&] { return H5Pset_file_image(access.id(), const_cast<std::byte*>(image.data()), image.size()); });
  return File(Handle(
      checked(what, [&] { return H5Fopen(unique_name().c_str(), H5F_ACC_RDONLY, access.id()); }), H5Fclose));
}

File File::open(const std::filesystem::path& path) {
  // File systems without locks are not refused. HDF5 asks for the variable once, at its first file.
  ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  refuse_plugins();
  return File(Handle(checked(concat("open ", path.string()),
                             [&] { return H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT); }),
                     H5Fclose));
}

Group File::root() const {
  return {Handle(checked("open /", [&] { return H5Gopen2(handle_.id(), "/", H5P_DEFAULT); }), H5Gclose), "/"};
}

std::vector<std::byte> File::image() const {
  constexpr const char* kWhat = "copy an HDF5 file out of memory";
  checked(kWhat, [&] { return H5Fflush(handle_.id(), H5F_SCOPE_GLOBAL); });
  const auto size = checked(kWhat, [&] { return H5Fget_file_image(handle_.id(), nullptr, 0); });
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  checked(kWhat, [&] { return H5Fget_file_image(handle_.id(), bytes.data(), bytes.size()); });
  repair_superblock_checksum(bytes);
  return bytes;
}

}  // namespace adapt::hdf5
