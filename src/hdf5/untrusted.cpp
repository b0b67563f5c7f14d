#include "hdf5/untrusted.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "hdf5/handle.hpp"

namespace adapt::hdf5 {
namespace {

constexpr std::string_view kFileSignature = "\x89HDF\r\n\x1a\n";
constexpr std::string_view kHeapSignature = "GCOL";
/// Header of a heap, and of each object in it (HDF5 File Format Specification 3.0, III.E).
constexpr std::uint64_t kHeader = 16;

/// A little-endian number.
std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
  }
  return value;
}

/// Walks over the objects of a heap. `heap` is all that its header claims.
bool objects_fit(std::span<const std::byte> heap) {
  std::set<std::uint64_t> indices;
  for (std::uint64_t at = kHeader; heap.size() - at >= kHeader;) {
    const std::uint64_t left = heap.size() - at;
    const std::uint64_t index = number(heap, at, 2);
    const std::uint64_t size = number(heap, at + 8, 8);
    if (size > left || !indices.insert(index).second) {
      return false;
    }
    const bool free_space = index == 0;
    const std::uint64_t taken = free_space ? size : kHeader + (size + 7) / 8 * 8;
    if (taken < kHeader || taken > left) {
      return false;
    }
    at += taken;
  }
  return true;
}

/// `rest` starts with the signature of a heap.
bool heap_fits(std::span<const std::byte> rest) {
  constexpr std::size_t kVersionAt = 4;
  constexpr std::size_t kSizeAt = 8;
  if (rest.size() < kHeader) {
    return false;
  }
  // HDF5 itself refuses other versions; in a dataset the four letters may stand by chance.
  if (rest[kVersionAt] != std::byte{1}) {
    return true;
  }
  const std::uint64_t size = number(rest, kSizeAt, 8);
  return size >= kHeader && size <= rest.size() && objects_fit(rest.first(size));
}

}  // namespace

void check_untrusted(std::span<const std::byte> image) {
  const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
  if (!text.starts_with(kFileSignature) || image.size() == kFileSignature.size()) {
    return;
  }
  const int version = std::to_integer<int>(image[kFileSignature.size()]);
  if (version != 3) {
    throw Error(
        concat("it is HDF5 with superblock version ", version, ", expected 3, the format of HDF5 1.10"));
  }
  for (std::size_t at = text.find(kHeapSignature); at != std::string_view::npos;
       at = text.find(kHeapSignature, at + 1)) {
    if (!heap_fits(image.subspan(at))) {
      throw Error(concat("its text heap at byte ", at, " is damaged"));
    }
  }
}

}  // namespace adapt::hdf5
