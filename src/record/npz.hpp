#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adapt {

/// An array of an .npz file.
struct NpzArray {
  std::string name;                ///< "conv1.weight"
  std::string type;                ///< as NumPy writes it: "<f4", "|i1", "<i2", "<i4", "|u1", "|S9"
  std::vector<std::int64_t> dims;  ///< row-major; none: a scalar
  std::vector<std::byte> bytes;
};

/// `values` as an array of `type`, whose elements are T.
template <class T>
NpzArray npz_array(std::string name, std::string type, std::vector<std::int64_t> dims,
                   std::span<const T> values) {
  const auto bytes = std::as_bytes(values);
  return {std::move(name), std::move(type), std::move(dims), {bytes.begin(), bytes.end()}};
}

/// Integers in the smallest of one, two or four bytes that holds them all.
NpzArray npz_integers(std::string name, std::vector<std::int64_t> dims, std::span<const std::int32_t> values);

/// A text, as a scalar of bytes: `archive[name].item()`.
NpzArray npz_text(std::string name, std::string_view text);

/// The arrays as NumPy's archive (numpy.lib.format, versions 1 and 2, in a ZIP file without compression and
/// without dates, so that equal arrays make equal files). Throws Failure beyond 4 GiB.
std::vector<std::byte> npz_bytes(std::span<const NpzArray> arrays);

/// The way back. `source` names the file in messages. Throws BadInput for what is no such archive, is
/// compressed, or holds arrays in Fortran's order.
std::vector<NpzArray> read_npz(std::span<const std::byte> bytes, const std::string& source);

}  // namespace adapt
