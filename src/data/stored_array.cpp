#include "data/stored_array.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"
#include "base/npy.hpp"

namespace adapt {
namespace {

std::size_t elements_of(const std::vector<std::int64_t>& dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) {
    count *= static_cast<std::size_t>(dim);
  }
  return count;
}

}  // namespace

std::span<const std::uint8_t> StoredArray::elements() const {
  return file.bytes.subspan(start, elements_of(dims) * static_cast<std::size_t>(type.bytes));
}

std::int64_t StoredArray::integer(std::size_t index) const {
  const auto width = static_cast<std::size_t>(type.bytes);
  const std::uint8_t* const first = elements().data() + index * width;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value = value << 8U | first[type.big_endian ? i : width - 1 - i];
  }
  const unsigned unused = 64 - 8 * static_cast<unsigned>(width);
  if (type.kind == 'i') {
    return static_cast<std::int64_t>(value << unused) >> unused;  // the sign spreads
  }
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

void StoredArray::reject(const std::string& expected, const std::string& found) const {
  throw BadInput(
      concat(file.path.string(), name.empty() ? "" : ":", name, ": expected ", expected, ", found ", found));
}

StoredArray find_npy(const std::filesystem::path& path) {
  StoredArray array = {read_source(path), {}, {}, {}, 0};
  try {
    const NpyHeader header = read_npy_header(std::as_bytes(array.file.bytes));
    array.dims = header.dims;
    array.start = header.start;
    // "<f4": the order, the kind, bytes; a width of any length is one of text.
    const bool is_short = header.type.size() == 3;
    array.type = {is_short ? header.type[1] : '?', is_short ? header.type[2] - '0' : 1,
                  header.type[0] == '>'};
    return array;
  } catch (const NpyFlaw& flaw) {
    array.file.reject(flaw.offset, flaw.expected, flaw.found);
  }
}

}  // namespace adapt
