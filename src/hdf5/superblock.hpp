#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace adapt::hdf5 {

/// Bob Jenkins' lookup3 hash ("hashlittle" with initial value 0), HDF5's checksum of metadata (HDF5 File
/// Format Specification 3.0, III.A footnotes).
std::uint32_t lookup3(std::span<const std::byte> bytes);

/// Makes the checksum in a version 2 or 3 superblock at the start of `image` right again. H5Fget_file_image
/// clears the "opened for writing" flag in its copy but, at least up to HDF5 1.10.8, keeps the checksum that
/// the flag went into, so the copy could not be opened. Throws Error when `image` does not start with such a
/// superblock.
void repair_superblock_checksum(std::span<std::byte> image);

}  // namespace adapt::hdf5
