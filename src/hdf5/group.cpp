#include "hdf5/group.hpp"

#include "hdf5/call.hpp"
#include "hdf5/text.hpp"
#include "hdf5/untrusted.hpp"

namespace adapt::hdf5 {
namespace {

/// Level 4 keeps a flush cheap; level 9 makes a long log 2 % smaller.
constexpr unsigned kDeflateLevel = 4;

Handle property_list(hid_t list_class) {
  return {checked("create a property list", [&] { return H5Pcreate(list_class); }), H5Pclose};
}

/// The open dataset keeps one chunk in memory, so that appending to it does not read it back, and no more, so
/// that hundreds of open series stay small.
Handle one_chunk_cache(std::size_t chunk_bytes) {
  constexpr std::size_t kSlots = 7;
  Handle list = property_list(H5P_DATASET_ACCESS);
  checked("chunk cache", [&] { return H5Pset_chunk_cache(list.id(), kSlots, chunk_bytes, 1.0); });
  return list;
}

}  // namespace

std::string Group::child(const std::string& name) const {
  if (name.empty() || name == "." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    throw Error(concat("'", name, "' cannot name an object of ", path(),
                       ": expected a name without '/' that is not '.'"));
  }
  return path() == "/" ? concat("/", name) : concat(path(), "/", name);
}

Group Group::create_group(const std::string& name) {
  const std::string full = child(name);
  const std::string what = concat("create ", full);
  const Handle list = property_list(H5P_GROUP_CREATE);
  checked(what, [&] {
    return H5Pset_link_creation_order(list.id(), H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  });
  return {Handle(checked(what,
                         [&] { return H5Gcreate2(id(), name.c_str(), H5P_DEFAULT, list.id(), H5P_DEFAULT); }),
                 H5Gclose),
          full};
}

Dataset Group::create_series(const std::string& name, const Datatype& type, std::size_t chunk_rows) {
  const std::string full = child(name);
  const std::string what = concat("create ", full);
  const hsize_t start = 0;
  const hsize_t limit = H5S_UNLIMITED;
  const hsize_t chunk = chunk_rows;
  const Handle space(checked(what, [&] { return H5Screate_simple(1, &start, &limit); }), H5Sclose);
  const Handle list = property_list(H5P_DATASET_CREATE);
  checked(what, [&] { return H5Pset_chunk(list.id(), 1, &chunk); });
  checked(what, [&] { return H5Pset_shuffle(list.id()); });
  checked(what, [&] { return H5Pset_deflate(list.id(), kDeflateLevel); });
  const Handle access = one_chunk_cache(chunk_rows * type.bytes());
  return {Handle(checked(what,
                         [&] {
                           return H5Dcreate2(id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT,
                                             list.id(), access.id());
                         }),
                 H5Dclose),
          full};
}

Dataset Group::create_filled(const std::string& name, std::span<const std::int64_t> dims,
                             const Datatype& type, const void* elements, std::size_t count) {
  const std::string full = child(name);
  const std::string what = concat("create ", full);
  std::size_t expected = 1;
  for (const std::int64_t length : dims) {
    expected *= static_cast<std::size_t>(length);
  }
  if (expected != count) {
    throw Error(concat(what, ": ", count, " elements given, expected ", expected, " by its shape"));
  }
  const std::vector<hsize_t> lengths(dims.begin(), dims.end());
  const Handle space(checked(what,
                             [&] {
                               return lengths.empty() ? H5Screate(H5S_SCALAR)
                                                      : H5Screate_simple(static_cast<int>(lengths.size()),
                                                                         lengths.data(), nullptr);
                             }),
                     H5Sclose);
  Dataset dataset(Handle(checked(what,
                                 [&] {
                                   return H5Dcreate2(id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT,
                                                     H5P_DEFAULT, H5P_DEFAULT);
                                 }),
                         H5Dclose),
                  full);
  dataset.write_all(type, elements);
  return dataset;
}

Dataset Group::create_text(const std::string& name, const std::string& text) {
  checked_c_string(text, child(name));
  const std::string stored = text.empty() ? std::string(1, '\0') : text;
  return create_filled(name, {}, Datatype::fixed_text(stored.size()), stored.data(), 1);
}

void Group::remove(const std::string& name) {
  checked(concat("remove ", child(name)), [&] { return H5Ldelete(id(), name.c_str(), H5P_DEFAULT); });
}

bool Group::has(const std::string& name) const {
  return checked(concat("look for ", child(name)),
                 [&] { return H5Lexists(id(), name.c_str(), H5P_DEFAULT); }) > 0;
}

std::vector<std::string> Group::names() const {
  const std::string what = concat("list ", path());
  H5G_info_t info = {};
  checked(what, [&] { return H5Gget_info(id(), &info); });
  const Handle list(checked(what, [&] { return H5Gget_create_plist(id()); }), H5Pclose);
  unsigned order = 0;
  checked(what, [&] { return H5Pget_link_creation_order(list.id(), &order); });
  const H5_index_t index = (order & H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const auto name_of = [&](char* out, std::size_t bytes) {
      return checked(what, [&] {
        return H5Lget_name_by_idx(id(), ".", index, H5_ITER_INC, i, out, bytes, H5P_DEFAULT);
      });
    };
    std::string name(static_cast<std::size_t>(name_of(nullptr, 0)), '\0');
    name_of(name.data(), name.size() + 1);
    names.push_back(std::move(name));
  }
  return names;
}

Handle Group::open_child(const std::string& name) const {
  const std::string full = child(name);
  if (!has(name)) {
    throw Error(concat(full, " is missing"));
  }
  check_link(id(), name, full);
  return {checked(concat("open ", full), [&] { return H5Oopen(id(), name.c_str(), H5P_DEFAULT); }), H5Oclose};
}

Group Group::group(const std::string& name) const {
  Handle handle = open_child(name);
  if (H5Iget_type(handle.id()) != H5I_GROUP) {
    throw Error(concat(child(name), " is not a group"));
  }
  return {std::move(handle), child(name)};
}

Dataset Group::dataset(const std::string& name) const {
  Handle handle = open_child(name);
  if (H5Iget_type(handle.id()) != H5I_DATASET) {
    throw Error(concat(child(name), " is not a dataset"));
  }
  return {std::move(handle), child(name)};
}

}  // namespace adapt::hdf5
