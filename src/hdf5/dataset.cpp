#include "hdf5/dataset.hpp"

#include "hdf5/call.hpp"
#include "hdf5/untrusted.hpp"

namespace adapt::hdf5 {
namespace {

Handle space_of(std::int64_t dataset, const std::string& path) {
  return {checked(concat("shape of ", path), [&] { return H5Dget_space(dataset); }), H5Sclose};
}

}  // namespace

std::vector<std::int64_t> Dataset::dims() const {
  const std::string what = concat("shape of ", path());
  const Handle space = space_of(id(), path());
  const int rank = checked(what, [&] { return H5Sget_simple_extent_ndims(space.id()); });
  std::vector<hsize_t> lengths(static_cast<std::size_t>(rank));
  checked(what, [&] { return H5Sget_simple_extent_dims(space.id(), lengths.data(), nullptr); });
  return {lengths.begin(), lengths.end()};
}

Datatype Dataset::type() const {
  return Datatype(Handle(checked(concat("type of ", path()), [&] { return H5Dget_type(id()); }), H5Tclose));
}

std::optional<std::uint64_t> Dataset::offset() const {
  static_cast<void>(check_storage(id(), path()));
  const Handle list(checked(concat("storage of ", path()), [&] { return H5Dget_create_plist(id()); }),
                    H5Pclose);
  if (H5Pget_layout(list.id()) != H5D_CONTIGUOUS) {
    return std::nullopt;
  }
  silence();
  const haddr_t offset = H5Dget_offset(id());
  return offset == HADDR_UNDEF ? std::nullopt : std::optional<std::uint64_t>(offset);
}

void Dataset::write_all(const Datatype& memory, const void* elements) {
  checked(concat("write ", path()),
          [&] { return H5Dwrite(id(), memory.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, elements); });
}

void Dataset::append_rows(const Datatype& memory, const void* rows, std::size_t count) {
  if (count == 0) {
    return;
  }
  const std::string what = concat("append to ", path());
  const std::vector<std::int64_t> before = dims();
  if (before.size() != 1) {
    throw Error(concat(what, ": it has ", before.size(), " dimensions, expected 1"));
  }
  const auto start = static_cast<hsize_t>(before[0]);
  const hsize_t length = count;
  const hsize_t total = start + length;
  checked(what, [&] { return H5Dset_extent(id(), &total); });
  const Handle stored = space_of(id(), path());
  checked(what, [&] {
    return H5Sselect_hyperslab(stored.id(), H5S_SELECT_SET, &start, nullptr, &length, nullptr);
  });
  const Handle added(checked(what, [&] { return H5Screate_simple(1, &length, nullptr); }), H5Sclose);
  checked(what, [&] { return H5Dwrite(id(), memory.id(), added.id(), stored.id(), H5P_DEFAULT, rows); });
}

std::size_t Dataset::checked_count(Kind kind) const {
  const Datatype stored = type();
  if (stored.kind() != kind) {
    throw Error(concat(path(), " is ", kind_name(stored.kind()), ", expected ", kind_name(kind)));
  }
  if (kind == Kind::text && stored.variable_length()) {
    throw Error(concat(path(), " holds text of variable length, expected fixed-width text"));
  }
  return check_storage(id(), path());
}

void Dataset::read_all(const Datatype& memory, void* out) const {
  checked(concat("read ", path()),
          [&] { return H5Dread(id(), memory.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, out); });
}

std::string Dataset::read_text() const {
  static_cast<void>(checked_count(Kind::text));
  if (!dims().empty()) {
    throw Error(concat(path(), " is an array, expected one text"));
  }
  std::string text(type().bytes(), '\0');
  read_all(type(), text.data());
  text.resize(::strnlen(text.data(), text.size()));
  return text;
}

}  // namespace adapt::hdf5
