#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/isolated.hpp"
#include "base/state_bytes.hpp"
#include "data/stored_array.hpp"
#include "hdf5/file.hpp"

namespace adapt {
namespace {

constexpr std::uint64_t kMemory = std::uint64_t{4} << 30U;  // address space of the child
constexpr std::size_t kLongest = 4096;                      // path or name
constexpr std::size_t kMostDims = 32;                       // that HDF5 has

char kind_of(const hdf5::Datatype& type) {
  if (type.kind() != hdf5::Kind::integer) {
    return type.kind() == hdf5::Kind::floating ? 'f' : '?';
  }
  if (!type.is_whole()) {
    return '?';
  }
  return type.is_signed() ? 'i' : 'u';
}

void put_array(const hdf5::Dataset& dataset, StateWriter& writer) {
  const hdf5::Datatype type = dataset.type();
  const std::vector<std::int64_t> dims = dataset.dims();
  const std::optional<std::uint64_t> offset = dataset.offset();
  if (!offset) {
    throw BadInput(
        concat(dataset.path(),
               ": expected an array in one piece, which can be mapped (h5py's "
               "create_dataset without chunks and compression), found one in pieces, or without elements"));
  }
  writer.put(ElementType{kind_of(type), static_cast<int>(type.bytes()), type.is_big_endian()});
  writer.put_all(std::span<const std::int64_t>(dims));
  writer.put(*offset);
}

/// In the child: of a path and names, for each of them its type, its dimensions and where it starts.
std::vector<std::byte> find_arrays(std::span<const std::byte> argument) {
  StateReader reader(argument);
  const std::string path = reader.get_text(kLongest);
  const auto count = reader.get<std::size_t>();
  const hdf5::File file = hdf5::File::open(std::filesystem::path(path));
  const Confinement confined(kMemory);
  StateWriter writer;
  for (std::size_t i = 0; i < count; ++i) {
    put_array(file.root().dataset(reader.get_text(kLongest)), writer);
  }
  return writer.take();
}

const IsolatedFunction kFindArrays("find-arrays", find_arrays);

/// Whether `array` lies within its file; the child's word is not taken for it.
void check_there(const StoredArray& array) {
  const std::size_t size = array.file.bytes.size();
  auto needed = static_cast<std::size_t>(array.type.bytes);
  for (const std::int64_t dim : array.dims) {
    const auto factor = static_cast<std::size_t>(std::max<std::int64_t>(dim, 0));
    if (factor != 0 && needed > size / factor) {
      array.reject("elements that are in the file", concat("more than its ", size, " bytes can hold"));
    }
    needed *= factor;
  }
  if (size - std::min(size, array.start) < needed) {
    array.file.reject(size, concat(needed, " bytes of ", array.name, " from byte ", array.start, " on"),
                      concat("the end after ", size, " bytes: a truncated file"));
  }
}

}  // namespace

std::vector<StoredArray> find_in_hdf5(const std::filesystem::path& path, std::span<const std::string> names) {
  static IsolatedChild child(kFindArrays);
  const SourceFile file = read_source(path);
  StateWriter writer;
  writer.put_text(std::filesystem::absolute(path).string());
  writer.put(names.size());
  for (const std::string& name : names) {
    writer.put_text(name);
  }
  std::vector<std::byte> answer;
  try {
    answer = child.call(writer.take());
  } catch (const NoAnswer& error) {
    throw BadInput(concat(path.string(), ": ", error.what()));
  } catch (const Failure& error) {
    throw BadInput(concat(path.string(), ": expected an HDF5 file that can be read: ", error.what()));
  } catch (const BadInput& error) {
    throw BadInput(concat(path.string(), ":", error.what()));
  }
  StateReader reader(answer);
  std::vector<StoredArray> arrays;
  for (const std::string& name : names) {
    StoredArray array = {file, "/" + name, reader.get<ElementType>(), {}, 0};
    array.dims = reader.get_all<std::int64_t>(0, kMostDims);
    array.start = static_cast<std::size_t>(reader.get<std::uint64_t>());
    check_there(array);
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace adapt
