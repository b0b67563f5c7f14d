#include "hdf5/datatype.hpp"

#include "hdf5/call.hpp"

namespace adapt::hdf5 {
namespace {

Datatype copy_of(std::int64_t type) {
  return Datatype(Handle(checked("copy a datatype", [&] { return H5Tcopy(type); }), H5Tclose));
}

Datatype text_of(std::size_t bytes, H5T_cset_t encoding, H5T_str_t padding) {
  Datatype type = copy_of(H5T_C_S1);
  checked("size of a text type", [&] { return H5Tset_size(type.id(), bytes); });
  checked("encoding of a text type", [&] { return H5Tset_cset(type.id(), encoding); });
  checked("padding of a text type", [&] { return H5Tset_strpad(type.id(), padding); });
  return type;
}

Kind kind_of(H5T_class_t type_class) {
  switch (type_class) {
    case H5T_INTEGER:
      return Kind::integer;
    case H5T_FLOAT:
      return Kind::floating;
    case H5T_STRING:
      return Kind::text;
    case H5T_COMPOUND:
      return Kind::compound;
    default:
      return Kind::other;
  }
}

}  // namespace

const char* kind_name(Kind kind) {
  constexpr std::array<const char*, 5> kNames = {"integer", "floating point", "text", "compound", "other"};
  return kNames.at(static_cast<std::size_t>(kind));
}

Datatype Datatype::native(const std::int8_t* /*tag*/) { return copy_of(H5T_NATIVE_INT8); }
Datatype Datatype::native(const std::int16_t* /*tag*/) { return copy_of(H5T_NATIVE_INT16); }
Datatype Datatype::native(const std::int32_t* /*tag*/) { return copy_of(H5T_NATIVE_INT32); }
Datatype Datatype::native(const std::int64_t* /*tag*/) { return copy_of(H5T_NATIVE_INT64); }
Datatype Datatype::native(const float* /*tag*/) { return copy_of(H5T_NATIVE_FLOAT); }
Datatype Datatype::native(const double* /*tag*/) { return copy_of(H5T_NATIVE_DOUBLE); }
Datatype Datatype::fixed_text(std::size_t bytes) { return text_of(bytes, H5T_CSET_UTF8, H5T_STR_NULLPAD); }

Datatype Datatype::ascii(std::size_t bytes) {
  // HDF5 converts no text between encodings, and this is the one numpy's "S" has.
  return text_of(bytes, H5T_CSET_ASCII, H5T_STR_NULLPAD);
}
Datatype Datatype::text() { return text_of(H5T_VARIABLE, H5T_CSET_UTF8, H5T_STR_NULLTERM); }

Datatype Datatype::compound(std::size_t bytes) {
  return Datatype(
      Handle(checked("create a compound type", [&] { return H5Tcreate(H5T_COMPOUND, bytes); }), H5Tclose));
}

void Datatype::insert(const std::string& name, std::size_t offset, const Datatype& member) {
  checked(concat("add member '", name, "' to a compound type"),
          [&] { return H5Tinsert(id(), name.c_str(), offset, member.id()); });
}

Datatype Datatype::packed() const {
  Datatype copy = copy_of(id());
  checked("pack a compound type", [&] { return H5Tpack(copy.id()); });
  return copy;
}

Kind Datatype::kind() const { return kind_of(H5Tget_class(id())); }

std::size_t Datatype::bytes() const { return H5Tget_size(id()); }

bool Datatype::is_signed() const { return H5Tget_sign(id()) == H5T_SGN_2; }

bool Datatype::is_big_endian() const { return H5Tget_order(id()) == H5T_ORDER_BE; }

bool Datatype::is_whole() const {
  constexpr std::size_t kByteBits = 8;
  const H5T_order_t order = H5Tget_order(id());
  return H5Tget_precision(id()) == kByteBits * bytes() && H5Tget_offset(id()) == 0 &&
         (order == H5T_ORDER_LE || order == H5T_ORDER_BE);
}

bool Datatype::variable_length() const {
  return checked("kind of a text type", [&] { return H5Tis_variable_str(id()); }) > 0;
}

Kind Datatype::member_kind(const std::string& name) const {
  silence();
  const int index = H5Tget_member_index(id(), name.c_str());
  return index < 0 ? Kind::other : kind_of(H5Tget_member_class(id(), static_cast<unsigned>(index)));
}

}  // namespace adapt::hdf5
