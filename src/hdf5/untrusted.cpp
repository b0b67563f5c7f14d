#include "hdf5/untrusted.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "hdf5/call.hpp"

namespace adapt::hdf5 {
namespace {

/// deflate makes at most 1032 bytes out of one.
constexpr std::uint64_t kLargestExpansion = 1032;

Handle creation_list(std::int64_t dataset, const std::string& path) {
  return {checked(concat("storage of ", path), [&] { return H5Dget_create_plist(dataset); }), H5Pclose};
}

void check_filters(const Handle& list, const std::string& path) {
  constexpr std::array kKnown = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
  const std::string what = concat("filters of ", path);
  const int count = checked(what, [&] { return H5Pget_nfilters(list.id()); });
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = checked(what, [&] {
      return H5Pget_filter2(list.id(), static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr,
                            nullptr);
    });
    if (std::find(kKnown.begin(), kKnown.end(), filter) == kKnown.end()) {
      throw Error(concat(path, " is stored with filter ", filter, ", expected shuffle and deflate only"));
    }
  }
}

/// Bytes that the dataset's elements take in the file at most. Those of chunks are not counted: HDF5 would go
/// through as many as an index claims to have.
std::uint64_t stored_bytes(std::int64_t dataset, const Handle& list, const std::string& path) {
  const std::string what = concat("size of the file of ", path);
  const Handle file(checked(what, [&] { return H5Iget_file_id(dataset); }), H5Fclose);
  hsize_t size = 0;
  checked(what, [&] { return H5Fget_filesize(file.id(), &size); });
  return H5Pget_layout(list.id()) == H5D_CHUNKED
             ? size
             : std::min<std::uint64_t>(H5Dget_storage_size(dataset), size);
}

/// The product; nothing larger than `most`.
bool multiply(std::uint64_t& product, std::uint64_t factor, std::uint64_t most) {
  if (factor != 0 && product > most / factor) {
    return false;
  }
  product *= factor;
  return true;
}

}  // namespace

void check_link(std::int64_t group, const std::string& name, const std::string& path) {
  H5L_info_t info = {};
  checked(concat("look for ", path), [&] { return H5Lget_info(group, name.c_str(), &info, H5P_DEFAULT); });
  if (info.type != H5L_TYPE_HARD) {
    throw Error(concat(path, " is a ", info.type == H5L_TYPE_EXTERNAL ? "link to another file" : "soft link",
                       ", expected an object of this file"));
  }
}

std::uint64_t check_storage(std::int64_t dataset, const std::string& path) {
  const Handle list = creation_list(dataset, path);
  if (checked(concat("storage of ", path), [&] { return H5Pget_external_count(list.id()); }) > 0 ||
      H5Pget_layout(list.id()) == H5D_VIRTUAL) {
    throw Error(concat(path, " is stored in other files, expected all in one"));
  }
  check_filters(list, path);
  const Handle space(checked(concat("shape of ", path), [&] { return H5Dget_space(dataset); }), H5Sclose);
  const Handle type(checked(concat("type of ", path), [&] { return H5Dget_type(dataset); }), H5Tclose);
  std::vector<hsize_t> lengths(static_cast<std::size_t>(
      checked(concat("shape of ", path), [&] { return H5Sget_simple_extent_ndims(space.id()); })));
  checked(concat("shape of ", path),
          [&] { return H5Sget_simple_extent_dims(space.id(), lengths.data(), nullptr); });
  if (std::find(lengths.begin(), lengths.end(), 0) != lengths.end()) {
    return 0;
  }
  const std::uint64_t stored = stored_bytes(dataset, list, path);
  const std::uint64_t room = stored * kLargestExpansion;
  const std::uint64_t size = H5Tget_size(type.id());
  std::uint64_t count = 1;
  std::uint64_t bytes = size;
  bool fits = size > 0 && size <= room;
  for (const hsize_t length : lengths) {
    fits = fits && multiply(count, length, room) && multiply(bytes, length, room);
  }
  if (!fits) {
    throw Error(concat(path, " claims more elements than its ", stored, " bytes can hold"));
  }
  return count;
}

void refuse_plugins() {
  checked("turn off HDF5's plug-ins", [] { return H5PLset_loading_state(0); });
}

}  // namespace adapt::hdf5
