#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/source_file.hpp"

namespace adapt {

/// What the elements of an array are, as NumPy says it: 'u' and 'i' are integers without and with a sign.
struct ElementType {
  char kind = '?';
  int bytes = 0;
  bool big_endian = false;
  bool operator==(const ElementType&) const = default;
};

/// An array that lies in a file as in memory, row-major and in one piece, so that it can be used where it is.
struct StoredArray {
  SourceFile file;
  std::string name;  ///< within the file, "/train_images"; empty where the file is the array
  ElementType type;
  std::vector<std::int64_t> dims;
  std::size_t start = 0;  ///< of the first element, in the file; all of them are there

  [[nodiscard]] std::span<const std::uint8_t> elements() const;
  /// The element at `index` of integers; those beyond the largest number are that one.
  [[nodiscard]] std::int64_t integer(std::size_t index) const;
  /// Throws BadInput: "PATH:NAME: expected EXPECTED, found FOUND".
  [[noreturn]] void reject(const std::string& expected, const std::string& found) const;
};

/// The array of a .npy file. Throws BadInput as read_source, and for what is none, with path and offset.
StoredArray find_npy(const std::filesystem::path& path);

/// Arrays of an HDF5 file. A child process looks for them, as damage can crash the HDF5 library. Throws
/// BadInput for a file that is none or damaged, and for arrays that are missing, stored in pieces,
/// compressed, or somewhere else.
std::vector<StoredArray> find_in_hdf5(const std::filesystem::path& path, std::span<const std::string> names);

}  // namespace adapt
