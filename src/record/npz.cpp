#include "record/npz.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/npy.hpp"

namespace adapt {
namespace {

// PKWARE's APPNOTE.TXT 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kDirectoryEnd = 0x06054b50;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kFirstDay = 0x21;  // 1980-01-01
constexpr std::string_view kSuffix = ".npy";

// numpy.lib.format: the magic text, the version, the header's length; all of it a multiple of 64 bytes.
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;

/// CRC-32, as ZIP has it.
std::uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

/// Little-endian numbers, as x86 has them, and text at the end of `bytes`.
template <class T>
void put(std::vector<std::byte>& bytes, T value) {
  static_assert(std::is_integral_v<T>);
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

void put_text(std::vector<std::byte>& bytes, std::string_view text) {
  const auto raw = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

std::string npy_header(const NpzArray& array) {
  std::string shape;
  for (const std::int64_t dim : array.dims) {
    shape += concat(shape.empty() ? "" : " ", dim, ",");
  }
  std::string text =
      concat("{'descr': '", array.type, "', 'fortran_order': False, 'shape': (", shape, "), }");
  const std::size_t start = kMagic.size() + 4;
  text.append(kAlignment - 1 - (start + text.size()) % kAlignment, ' ');
  return text + "\n";
}

std::vector<std::byte> npy_bytes(const NpzArray& array) {
  std::vector<std::byte> bytes;
  const std::string header = npy_header(array);
  put_text(bytes, kMagic);
  put(bytes, std::uint16_t{1});  // version 1.0
  put(bytes, static_cast<std::uint16_t>(header.size()));
  put_text(bytes, header);
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return bytes;
}

std::uint32_t size32(std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max()) {
    throw Failure(
        concat("an archive of ", size, " bytes or more does not fit a ZIP file; expected 4 GiB at most"));
  }
  return static_cast<std::uint32_t>(size);
}

/// What both headers of a file say of it.
void put_entry(std::vector<std::byte>& bytes, const std::string& name, std::span<const std::byte> content) {
  put(bytes, kVersion);
  put(bytes, std::uint16_t{0});  // flags
  put(bytes, kStored);
  put(bytes, std::uint16_t{0});  // midnight
  put(bytes, kFirstDay);
  put(bytes, checksum(content));
  put(bytes, size32(content.size()));
  put(bytes, size32(content.size()));
  put(bytes, static_cast<std::uint16_t>(name.size()));
  put(bytes, std::uint16_t{0});  // no extra field
}

// ---- reading ----

class ArchiveReader {
 public:
  ArchiveReader(std::span<const std::byte> bytes, const std::string& source)
      : bytes_(bytes), source_(source) {}

  std::vector<NpzArray> read() {
    const std::size_t end = find_end();
    const auto files = number<std::uint16_t>(end + 10);
    std::size_t place = number<std::uint32_t>(end + 16);
    std::vector<NpzArray> arrays;
    std::set<std::string> names;
    std::size_t content = 0;
    for (int file = 0; file < files; ++file) {
      place = read_entry(place, arrays);
      content += arrays.back().bytes.size();
      // Entries may lead to the same bytes: a small file of many large arrays.
      if (content > bytes_.size()) {
        refuse("has entries that overlap");
      }
      if (!names.insert(arrays.back().name).second) {
        refuse(concat("holds two arrays named '", arrays.back().name, "'"));
      }
    }
    return arrays;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw BadInput(concat(source_, ": ", what, "; expected an .npz file as numpy.savez writes it"));
  }

  [[nodiscard]] std::span<const std::byte> piece(std::size_t place, std::size_t size) const {
    if (place > bytes_.size() || bytes_.size() - place < size) {
      refuse(concat("ends within ", size, " bytes that begin at ", place));
    }
    return bytes_.subspan(place, size);
  }

  template <class T>
  [[nodiscard]] T number(std::size_t place) const {
    T value;
    std::memcpy(&value, piece(place, sizeof value).data(), sizeof value);
    return value;
  }

  [[nodiscard]] std::string text(std::size_t place, std::size_t size) const {
    const auto raw = piece(place, size);
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }

  /// The directory's end stands last but for a comment.
  [[nodiscard]] std::size_t find_end() const {
    constexpr std::size_t kSize = 22;
    constexpr std::size_t kLongestComment = 0xffff;
    for (std::size_t back = kSize; back <= std::min(bytes_.size(), kSize + kLongestComment); ++back) {
      if (number<std::uint32_t>(bytes_.size() - back) == kDirectoryEnd) {
        return bytes_.size() - back;
      }
    }
    refuse("is no ZIP file");
  }

  /// The array of the directory's entry at `place`; where the next entry stands.
  std::size_t read_entry(std::size_t place, std::vector<NpzArray>& arrays) const {
    constexpr std::size_t kEntry = 46;
    constexpr std::size_t kLocal = 30;
    if (number<std::uint32_t>(place) != kDirectoryHeader) {
      refuse(concat("has no directory entry at byte ", place));
    }
    const std::size_t name_size = number<std::uint16_t>(place + 28);
    const std::string name = text(place + kEntry, name_size);
    if (number<std::uint16_t>(place + 10) != kStored) {
      refuse(concat("'", name, "' is compressed (numpy.savez_compressed)"));
    }
    const std::size_t size = number<std::uint32_t>(place + 24);
    const std::size_t local = number<std::uint32_t>(place + 42);
    const std::size_t content =
        local + kLocal + number<std::uint16_t>(local + 26) + number<std::uint16_t>(local + 28);
    const auto bytes = piece(content, size);
    if (checksum(bytes) != number<std::uint32_t>(place + 16)) {
      refuse(concat("'", name, "' is damaged: its checksum is another"));
    }
    arrays.push_back(read_array(name, content, size));
    return place + kEntry + name_size + number<std::uint16_t>(place + 30) + number<std::uint16_t>(place + 32);
  }

  [[nodiscard]] NpzArray read_array(std::string name, std::size_t place, std::size_t size) const {
    if (name.ends_with(kSuffix)) {
      name.resize(name.size() - kSuffix.size());
    }
    const auto bytes = piece(place, size);
    try {
      NpyHeader header = read_npy_header(bytes);
      const auto elements = bytes.subspan(header.start);
      return {std::move(name),
              std::move(header.type),
              std::move(header.dims),
              {elements.begin(), elements.end()}};
    } catch (const NpyFlaw& flaw) {
      refuse(
          concat("'", name, "': byte ", flaw.offset, ": expected ", flaw.expected, ", found ", flaw.found));
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
};

template <class T>
NpzArray narrowed(std::string name, const char* type, std::vector<std::int64_t> dims,
                  std::span<const std::int32_t> values) {
  const std::vector<T> narrow(values.begin(), values.end());
  return npz_array<T>(std::move(name), type, std::move(dims), narrow);
}

}  // namespace

NpzArray npz_integers(std::string name, std::vector<std::int64_t> dims,
                      std::span<const std::int32_t> values) {
  const auto range = std::ranges::minmax_element(values);
  const auto fits = [&]<class T>(T /*type*/) {
    using Limits = std::numeric_limits<T>;
    return values.empty() || (*range.min >= Limits::min() && *range.max <= Limits::max());
  };
  if (fits(std::int8_t{})) {
    return narrowed<std::int8_t>(std::move(name), "|i1", std::move(dims), values);
  }
  if (fits(std::int16_t{})) {
    return narrowed<std::int16_t>(std::move(name), "<i2", std::move(dims), values);
  }
  return npz_array(std::move(name), "<i4", std::move(dims), values);
}

NpzArray npz_text(std::string name, std::string_view text) {
  return npz_array(std::move(name), concat("|S", std::max<std::size_t>(text.size(), 1)), {},
                   std::span<const char>(text.empty() ? std::string_view("\0", 1) : text));
}

std::vector<std::byte> npz_bytes(std::span<const NpzArray> arrays) {
  std::vector<std::byte> bytes;
  std::vector<std::byte> directory;
  for (const NpzArray& array : arrays) {
    const std::string name = array.name + std::string(kSuffix);
    const std::vector<std::byte> content = npy_bytes(array);
    const std::uint32_t place = size32(bytes.size());
    put(directory, kDirectoryHeader);
    put(directory, kVersion);
    put_entry(directory, name, content);
    put(directory, std::uint16_t{0});  // no comment
    put(directory, std::uint16_t{0});  // on this disk
    put(directory, std::uint16_t{0});  // attributes
    put(directory, std::uint32_t{0});
    put(directory, place);
    put_text(directory, name);
    put(bytes, kLocalHeader);
    put_entry(bytes, name, content);
    put_text(bytes, name);
    bytes.insert(bytes.end(), content.begin(), content.end());
  }
  const std::uint32_t place = size32(bytes.size());
  bytes.insert(bytes.end(), directory.begin(), directory.end());
  put(bytes, kDirectoryEnd);
  put(bytes, std::uint32_t{0});  // this disk, and that of the directory
  put(bytes, static_cast<std::uint16_t>(arrays.size()));
  put(bytes, static_cast<std::uint16_t>(arrays.size()));
  put(bytes, size32(directory.size()));
  put(bytes, place);
  put(bytes, std::uint16_t{0});  // no comment
  return bytes;
}

std::vector<NpzArray> read_npz(std::span<const std::byte> bytes, const std::string& source) {
  return ArchiveReader(bytes, source).read();
}

}  // namespace adapt
