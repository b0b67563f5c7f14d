#include "hdf5/node.hpp"

#include "hdf5/call.hpp"
#include "hdf5/text.hpp"

namespace adapt::hdf5 {

void Node::write_attribute(const std::string& name, const Datatype& type, const void* value) {
  const std::string what = concat("write attribute '", name, "' of ", path_);
  if (has_attribute(name)) {
    checked(what, [&] { return H5Adelete(id(), name.c_str()); });
  }
  const Handle space(checked(what, [] { return H5Screate(H5S_SCALAR); }), H5Sclose);
  const Handle attribute(
      checked(
          what,
          [&] { return H5Acreate2(id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT); }),
      H5Aclose);
  checked(what, [&] { return H5Awrite(attribute.id(), type.id(), value); });
}

void Node::set_attribute(const std::string& name, const std::string& value) {
  const char* const pointer = checked_c_string(value, concat("attribute '", name, "' of ", path_));
  write_attribute(name, Datatype::text(), &pointer);
}

void Node::set_attribute(const std::string& name, std::int64_t value) {
  write_attribute(name, Datatype::of<std::int64_t>(), &value);
}

void Node::set_attribute(const std::string& name, double value) {
  write_attribute(name, Datatype::of<double>(), &value);
}

bool Node::has_attribute(const std::string& name) const {
  return checked(concat("look for attribute '", name, "' of ", path_),
                 [&] { return H5Aexists(id(), name.c_str()); }) > 0;
}

std::vector<std::string> Node::attribute_names() const {
  const std::string what = concat("list the attributes of ", path_);
  std::vector<std::string> names;
  const auto collect = [](hid_t /*object*/, const char* name, const H5A_info_t* /*info*/,
                          void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  checked(what, [&] { return H5Aiterate2(id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names); });
  return names;
}

Handle Node::open_attribute(const std::string& name, Kind kind) const {
  const std::string what = concat("attribute '", name, "' of ", path_);
  if (!has_attribute(name)) {
    throw Error(concat(what, " is missing"));
  }
  Handle attribute(checked(what, [&] { return H5Aopen(id(), name.c_str(), H5P_DEFAULT); }), H5Aclose);
  const Datatype type(Handle(checked(what, [&] { return H5Aget_type(attribute.id()); }), H5Tclose));
  if (type.kind() != kind) {
    throw Error(concat(what, " is ", kind_name(type.kind()), ", expected ", kind_name(kind)));
  }
  const Handle space(checked(what, [&] { return H5Aget_space(attribute.id()); }), H5Sclose);
  if (checked(what, [&] { return H5Sget_simple_extent_npoints(space.id()); }) != 1) {
    throw Error(concat(what, " does not hold one value"));
  }
  return attribute;
}

std::string Node::text_attribute(const std::string& name) const {
  const Handle attribute = open_attribute(name, Kind::text);
  const std::string what = concat("read attribute '", name, "' of ", path_);
  const Datatype type(Handle(checked(what, [&] { return H5Aget_type(attribute.id()); }), H5Tclose));
  return read_one_text(type, [&](const Datatype& memory, void* out) {
    checked(what, [&] { return H5Aread(attribute.id(), memory.id(), out); });
  });
}

std::int64_t Node::integer_attribute(const std::string& name) const {
  const Handle attribute = open_attribute(name, Kind::integer);
  std::int64_t value = 0;
  checked(concat("read attribute '", name, "' of ", path_),
          [&] { return H5Aread(attribute.id(), H5T_NATIVE_INT64, &value); });
  return value;
}

double Node::number_attribute(const std::string& name) const {
  const Handle attribute = open_attribute(name, Kind::floating);
  double value = 0;
  checked(concat("read attribute '", name, "' of ", path_),
          [&] { return H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, &value); });
  return value;
}

}  // namespace adapt::hdf5
