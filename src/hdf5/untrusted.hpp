#pragma once

#include <cstddef>
#include <span>

namespace adapt::hdf5 {

/// To be called before File::open on bytes that nobody vouches for. HDF5 1.10 can crash on damaged metadata
/// that has no checksum. In the format of this room all metadata has one, except the heaps that hold texts of
/// variable length. So this throws Error when `image` is HDF5 in another format (superblock version other
/// than 3) or when the objects in one of these heaps do not fit it. Bytes that are not HDF5 at all pass:
/// File::open names them.
void check_untrusted(std::span<const std::byte> image);

}  // namespace adapt::hdf5
