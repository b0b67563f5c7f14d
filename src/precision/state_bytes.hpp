#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

namespace adapt {

/// Collects a policy's state as bytes, in this machine's representation.
class StateWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes = std::as_bytes(std::span(&value, 1));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  /// The count, then the values.
  template <class T>
  void put_all(std::span<const T> values) {
    put(values.size());
    const auto bytes = std::as_bytes(values);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads in the order of writing. Throws BadInput (offset, bytes missing or left) when the bytes do not fit.
class StateReader {
 public:
  explicit StateReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

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
    const auto count = get<std::size_t>();
    if (count < fewest || count > most) {
      throw BadInput(concat("policy state: at offset ", offset_, " ", count, " values, expected ", fewest,
                            " to ", most, ": the checkpoint belongs to another model or configuration"));
    }
    std::vector<T> values(count);
    if (count > 0) {
      std::memcpy(values.data(), take(count * sizeof(T)).data(), count * sizeof(T));
    }
    return values;
  }
  /// Throws BadInput unless everything has been read.
  void finish() const {
    if (offset_ != bytes_.size()) {
      throw BadInput(concat("policy state: ends at offset ", offset_, " of ", bytes_.size(),
                            " bytes: the checkpoint belongs to another policy, model or version"));
    }
  }

 private:
  std::span<const std::byte> take(std::size_t count) {
    if (bytes_.size() - offset_ < count) {
      throw BadInput(concat("policy state: ", count, " bytes expected at offset ", offset_, ", found ",
                            bytes_.size() - offset_, ": the checkpoint is cut short or of another policy"));
    }
    const auto taken = bytes_.subspan(offset_, count);
    offset_ += count;
    return taken;
  }

  std::span<const std::byte> bytes_;
  std::size_t offset_ = 0;
};

}  // namespace adapt
