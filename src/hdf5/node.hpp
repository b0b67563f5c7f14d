#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hdf5/datatype.hpp"
#include "hdf5/handle.hpp"

namespace adapt::hdf5 {

/// A group or dataset: something with attributes. All members throw Error.
class Node {
 public:
  /// Full name inside the file, "/steps/loss"; for messages.
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Writes a scalar attribute, replacing one of that name. Text must hold no NUL.
  void set_attribute(const std::string& name, const std::string& value);
  void set_attribute(const std::string& name, const char* value) { set_attribute(name, std::string(value)); }
  void set_attribute(const std::string& name, std::int64_t value);
  void set_attribute(const std::string& name, double value);

  [[nodiscard]] bool has_attribute(const std::string& name) const;
  /// In the order of their names.
  [[nodiscard]] std::vector<std::string> attribute_names() const;
  /// Scalar attributes of that kind; one that is missing or of another kind or shape is an Error.
  [[nodiscard]] std::string text_attribute(const std::string& name) const;
  [[nodiscard]] std::int64_t integer_attribute(const std::string& name) const;
  [[nodiscard]] double number_attribute(const std::string& name) const;

 protected:
  Node(Handle handle, std::string path) : handle_(std::move(handle)), path_(std::move(path)) {}
  [[nodiscard]] std::int64_t id() const { return handle_.id(); }

 private:
  void write_attribute(const std::string& name, const Datatype& type, const void* value);
  [[nodiscard]] Handle open_attribute(const std::string& name, Kind kind) const;

  Handle handle_;
  std::string path_;
};

}  // namespace adapt::hdf5
