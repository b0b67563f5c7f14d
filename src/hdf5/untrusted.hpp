#pragma once

#include <cstdint>
#include <string>

namespace adapt::hdf5 {

/// What a file from anywhere may not hold, because reading it would touch other files, run code of others, or
/// take memory that nothing in the file stands for. `path` is for messages; all throw Error.

/// Refuses a link that leads anywhere but to an object of its own group: a soft or external one.
void check_link(std::int64_t group, const std::string& name, const std::string& path);

/// Refuses a dataset whose elements lie in other files (external storage, virtual datasets), that is stored
/// with filters other than ours (shuffle, deflate, and Fletcher's checksum), or that claims more bytes than
/// the file can hold. Returns the number of its elements.
std::uint64_t check_storage(std::int64_t dataset, const std::string& path);

/// HDF5 loads no plug-in in this process from now on.
void refuse_plugins();

}  // namespace adapt::hdf5
