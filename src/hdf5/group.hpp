#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hdf5/dataset.hpp"
#include "hdf5/node.hpp"

namespace adapt::hdf5 {

/// An open group. Names of children hold no '/' and are neither empty nor "."; all members throw Error.
class Group : public Node {
 public:
  Group(Handle handle, std::string path) : Node(std::move(handle), std::move(path)) {}

  /// Remembers the order in which its children were made.
  Group create_group(const std::string& name);
  /// A dataset of one dimension that starts empty and grows; `chunk_rows` rows are stored, shuffled and
  /// deflated together, and the last such chunk stays in memory while the dataset is open.
  Dataset create_series(const std::string& name, const Datatype& type, std::size_t chunk_rows);
  /// A dataset of fixed shape, row-major; `elements` holds the product of `dims`.
  template <class T>
  Dataset create_array(const std::string& name, std::span<const std::int64_t> dims,
                       std::span<const T> elements) {
    return create_filled(name, dims, Datatype::of<T>(), elements.data(), elements.size());
  }
  /// A scalar dataset with a text that holds no NUL.
  Dataset create_text(const std::string& name, const std::string& text);
  void remove(const std::string& name);

  [[nodiscard]] bool has(const std::string& name) const;
  /// Children, in the order they were made when the group remembers it, otherwise by name.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] Group group(const std::string& name) const;
  [[nodiscard]] Dataset dataset(const std::string& name) const;

 private:
  Dataset create_filled(const std::string& name, std::span<const std::int64_t> dims, const Datatype& type,
                        const void* elements, std::size_t count);
  [[nodiscard]] std::string child(const std::string& name) const;
  [[nodiscard]] Handle open_child(const std::string& name) const;
};

}  // namespace adapt::hdf5
