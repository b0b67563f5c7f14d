#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace adapt {

/// Collects state as bytes, in this machine's representation, for a checkpoint.
class StateWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    append(std::as_bytes(std::span(&value, 1)));
  }
  /// The count, then the values.
  template <class T>
  void put_all(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    put(values.size());
    append(std::as_bytes(values));
  }
  /// For StateReader::get_text.
  void put_text(const std::string& text) { put_all(std::span(text.data(), text.size())); }

  /// The bytes alone, without a count.
  void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  /// Makes room, so that large states are not moved as they grow.
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  /// Hands the bytes over.
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads in the order of writing. Throws BadInput (offset, bytes missing or left) when the bytes do not fit,
/// before any memory is taken for them.
class StateReader {
 public:
  explicit StateReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// All bytes, read or not: there cannot be more values than that.
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  /// Values written by put_all; there must be between `fewest` and `most`.
  template <class T>
  std::vector<T> get_all(std::size_t fewest, std::size_t most) {
    const std::size_t count = get_count(fewest, most, sizeof(T));
    std::vector<T> values(count);
    if (count > 0) {
      std::memcpy(values.data(), take(count * sizeof(T)).data(), count * sizeof(T));
    }
    return values;
  }
  /// The same into `values`, which says how many there must be.
  template <class T>
  void get_into(std::span<T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    get_count(values.size(), values.size(), sizeof(T));
    if (!values.empty()) {
      std::memcpy(values.data(), take(values.size_bytes()).data(), values.size_bytes());
    }
  }
  /// A text of at most `most` bytes.
  std::string get_text(std::size_t most) {
    const std::vector<char> text = get_all<char>(0, most);
    return {text.begin(), text.end()};
  }
  /// Throws BadInput unless everything has been read.
  void finish() const {
    if (offset_ != bytes_.size()) {
      throw BadInput(concat("saved state: ends at offset ", offset_, " of ", bytes_.size(),
                            " bytes: the checkpoint belongs to another policy, model or version"));
    }
  }

 private:
  /// A count of values of `size` bytes each, which must be left.
  std::size_t get_count(std::size_t fewest, std::size_t most, std::size_t size) {
    const auto count = get<std::size_t>();
    if (count < fewest || count > most) {
      throw BadInput(concat("saved state: at offset ", offset_, " ", count, " values, expected ", fewest,
                            " to ", most, ": the checkpoint belongs to another model or configuration"));
    }
    if (count > (bytes_.size() - offset_) / size) {
      refuse(concat(count, " values of ", size, " bytes"));
    }
    return count;
  }

  std::span<const std::byte> take(std::size_t count) {
    if (bytes_.size() - offset_ < count) {
      refuse(concat(count, " bytes"));
    }
    const auto taken = bytes_.subspan(offset_, count);
    offset_ += count;
    return taken;
  }

  [[noreturn]] void refuse(const std::string& expected) const {
    throw BadInput(concat("saved state: ", expected, " expected at offset ", offset_, ", found ",
                          bytes_.size() - offset_,
                          " bytes: the checkpoint is cut short or of another policy"));
  }

  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
};

}  // namespace adapt
