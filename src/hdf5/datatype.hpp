#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "hdf5/handle.hpp"

namespace adapt::hdf5 {

/// What the elements of a dataset or attribute are.
enum class Kind { integer, floating, text, compound, other };

/// "integer", "floating point", "text", "compound", "other".
const char* kind_name(Kind kind);

/// A text of at most N bytes, filled up with NUL, as fixed-width columns hold it; numpy's "S<N>".
template <std::size_t N>
struct FixedText {
  std::array<char, N> bytes{};

  FixedText() = default;
  /// Throws Error when `text` does not fit or holds a NUL.
  explicit FixedText(const std::string& text) {
    if (text.size() > N || text.find('\0') != std::string::npos) {
      throw Error(concat("text '", text, "' does not fit a column: expected at most ", N,
                         " bytes, none of them NUL"));
    }
    text.copy(bytes.data(), N);
  }
  [[nodiscard]] std::string text() const { return {bytes.data(), ::strnlen(bytes.data(), N)}; }
};

/// An HDF5 datatype.
class Datatype {
 public:
  explicit Datatype(Handle handle) : handle_(std::move(handle)) {}

  /// The native type of T: std::int8_t, int16_t, int32_t, int64_t, float, double, or FixedText<N>.
  template <class T>
  static Datatype of() {
    return native(static_cast<const T*>(nullptr));
  }
  /// Text of variable length, UTF-8; what h5py reads as str.
  static Datatype text();
  /// Text of `bytes` bytes, UTF-8, filled up with NUL.
  static Datatype fixed_text(std::size_t bytes);
  /// A struct of `bytes` bytes; its members are added with insert().
  static Datatype compound(std::size_t bytes);
  void insert(const std::string& name, std::size_t offset, const Datatype& member);
  /// The same compound without padding, as it is stored.
  [[nodiscard]] Datatype packed() const;

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] std::size_t bytes() const;
  /// Integers only: whether one bit is a sign; whether the byte that counts most comes first.
  [[nodiscard]] bool is_signed() const;
  [[nodiscard]] bool is_big_endian() const;
  /// Integers only: whether all bits of all bytes count, in one of the two usual orders.
  [[nodiscard]] bool is_whole() const;
  /// Text only: of variable length.
  [[nodiscard]] bool variable_length() const;
  /// Compound only: kind of the member `name`; Kind::other when there is none.
  [[nodiscard]] Kind member_kind(const std::string& name) const;
  [[nodiscard]] std::int64_t id() const { return handle_.id(); }

 private:
  static Datatype native(const std::int8_t* tag);
  static Datatype native(const std::int16_t* tag);
  static Datatype native(const std::int32_t* tag);
  static Datatype native(const std::int64_t* tag);
  static Datatype native(const float* tag);
  static Datatype native(const double* tag);
  template <std::size_t N>
  static Datatype native(const FixedText<N>* /*tag*/) {
    return ascii(N);
  }
  static Datatype ascii(std::size_t bytes);

  Handle handle_;
};

}  // namespace adapt::hdf5
