#include "base/npy.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

#include "base/error.hpp"

namespace adapt {
namespace {

// The magic text, the version (two bytes), the length of the description (two bytes, since version 2 four,
// little-endian), the description: a dictionary of Python.
constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersion = kMagic.size();
constexpr std::size_t kLength = kVersion + 2;
constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kMostDigits = 18;

class HeaderReader {
 public:
  explicit HeaderReader(std::span<const std::byte> bytes)
      : bytes_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {}

  NpyHeader read() {
    check_there(kLength + 2, "a NumPy array");
    if (!bytes_.starts_with(kMagic)) {
      throw NpyFlaw{0, "a NumPy array, which starts with \\x93NUMPY", "something else"};
    }
    const std::size_t width = bytes_[kVersion] == 1 ? 2 : 4;
    const std::size_t start = kLength + width;
    check_there(start, "a NumPy array");
    std::size_t length = 0;
    for (std::size_t i = 0; i < width; ++i) {
      length |= std::size_t{static_cast<unsigned char>(bytes_[kLength + i])} << (8 * i);
    }
    check_there(start + length, concat("a description of ", length, " bytes"));
    text_ = bytes_.substr(start, length);
    if (value_of("fortran_order", ' ', ',') != "False") {
      throw NpyFlaw{start, "elements in the order of C, as numpy.ascontiguousarray makes them",
                    "Fortran's order"};
    }
    NpyHeader header = {std::string(value_of("descr", '\'', '\'')), dims_of(value_of("shape", '(', ')')),
                        start + length};
    check_size(header);
    return header;
  }

 private:
  void check_there(std::size_t size, const std::string& what) const {
    if (bytes_.size() < size) {
      throw NpyFlaw{bytes_.size(), what, concat("the end after ", bytes_.size(), " bytes: a truncated file")};
    }
  }

  [[nodiscard]] std::size_t offset_of(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - bytes_.data());
  }

  /// What stands between `before` and `behind`, after 'key':
  [[nodiscard]] std::string_view value_of(std::string_view key, char before, char behind) const {
    constexpr std::size_t kNone = std::string_view::npos;
    const std::size_t at = text_.find(concat("'", key, "':"));
    const std::size_t from = at == kNone ? at : text_.find(before, at + key.size() + 3);
    const std::size_t to = from == kNone ? from : text_.find(behind, from + 1);
    if (to == kNone) {
      throw NpyFlaw{offset_of(text_), concat("a description with '", key, "'"), "none"};
    }
    return text_.substr(from + 1, to - from - 1);
  }

  [[nodiscard]] std::vector<std::int64_t> dims_of(std::string_view shape) const {
    const std::size_t offset = offset_of(shape);
    if (shape.find_first_not_of("0123456789, ") != std::string_view::npos) {
      throw NpyFlaw{offset, "a shape of numbers", concat("(", shape, ")")};
    }
    std::vector<std::int64_t> dims;
    for (std::size_t at = shape.find_first_of(kDigits); at < shape.size();
         at = shape.find_first_of(kDigits, at)) {
      const std::size_t end = std::min(shape.find_first_not_of(kDigits, at), shape.size());
      if (end - at > kMostDigits) {
        throw NpyFlaw{offset, "a shape that a file can hold", concat("(", shape, ")")};
      }
      dims.push_back(std::stoll(std::string(shape.substr(at, end - at))));
      at = end;
    }
    return dims;
  }

  /// Bytes of an element: the number behind two characters.
  [[nodiscard]] std::size_t width_of(const std::string& type) const {
    const std::string_view digits = std::string_view(type).substr(std::min<std::size_t>(type.size(), 2));
    if (digits.empty() || digits.size() > kMostDigits ||
        digits.find_first_not_of(kDigits) != std::string_view::npos) {
      throw NpyFlaw{offset_of(text_), "a type of a fixed width, as in '<f4'", concat("'", type, "'")};
    }
    return static_cast<std::size_t>(std::stoull(std::string(digits)));
  }

  void check_size(const NpyHeader& header) const {
    const std::size_t found = bytes_.size() - header.start;
    std::size_t expected = width_of(header.type);
    for (const std::int64_t dim : header.dims) {
      const auto factor = static_cast<std::size_t>(dim);
      if (factor != 0 && expected > std::numeric_limits<std::size_t>::max() / factor) {
        throw NpyFlaw{offset_of(text_), "a shape that a file can hold",
                      std::string(value_of("shape", '(', ')'))};
      }
      expected *= factor;
    }
    if (found < expected) {
      throw NpyFlaw{
          bytes_.size(),
          concat(header.start + expected, " bytes, as its shape and type '", header.type, "' have it"),
          concat("the end after ", bytes_.size(), " bytes: a truncated file")};
    }
    if (found > expected) {
      throw NpyFlaw{header.start + expected,
                    concat("the end after ", header.start + expected, " bytes, as its shape and type '",
                           header.type, "' have it"),
                    concat(found - expected, " surplus bytes")};
    }
  }

  std::string_view bytes_;
  std::string_view text_;
};

}  // namespace

NpyHeader read_npy_header(std::span<const std::byte> bytes) { return HeaderReader(bytes).read(); }

}  // namespace adapt
