#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hdf5/node.hpp"

namespace adapt::hdf5 {

/// An open dataset. All members throw Error.
class Dataset : public Node {
 public:
  Dataset(Handle handle, std::string path) : Node(std::move(handle), std::move(path)) {}

  /// Length of each dimension; empty for a scalar.
  [[nodiscard]] std::vector<std::int64_t> dims() const;
  [[nodiscard]] Datatype type() const;

  /// Where in the file the elements begin that lie there in one piece, as they are; nothing for others. A
  /// dataset that check_storage refuses is an Error.
  [[nodiscard]] std::optional<std::uint64_t> offset() const;

  /// Writes every element; `elements` points to as many as the shape says, laid out as `memory`.
  void write_all(const Datatype& memory, const void* elements);
  /// Appends rows to a series (one dimension, see Group::create_series).
  template <class T>
  void append(std::span<const T> rows) {
    append(rows, Datatype::of<T>());
  }
  /// The same for rows that `memory` describes.
  template <class T>
  void append(std::span<const T> rows, const Datatype& memory) {
    append_rows(memory, rows.data(), rows.size());
  }

  /// All elements, row-major, converted to T. The stored kind must be T's (no text as number, no float as
  /// integer). A dataset that check_storage refuses is an Error before any memory is taken.
  template <class T>
  [[nodiscard]] std::vector<T> read() const {
    return read<T>(Datatype::of<T>());
  }
  /// The same for elements that `memory` describes; members that are not stored stay as T() has them.
  template <class T>
  [[nodiscard]] std::vector<T> read(const Datatype& memory) const {
    std::vector<T> elements(checked_count(memory.kind()));
    read_all(memory, elements.data());
    return elements;
  }
  /// The text of a scalar dataset of fixed-width text.
  [[nodiscard]] std::string read_text() const;

 private:
  void append_rows(const Datatype& memory, const void* rows, std::size_t count);
  /// Number of elements, after checking kind and storage.
  [[nodiscard]] std::size_t checked_count(Kind kind) const;
  void read_all(const Datatype& memory, void* out) const;
};

}  // namespace adapt::hdf5
