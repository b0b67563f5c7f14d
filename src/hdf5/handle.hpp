#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace adapt::hdf5 {

/// An HDF5 call failed, or an object is not what was asked for. One line: what was attempted on which object,
/// and the innermost message of HDF5's error stack. Callers who know the file add its path.
class Error : public Failure {
 public:
  using Failure::Failure;
};

/// Owns one HDF5 identifier and closes it at the end of its life. Moves, does not copy.
class Handle {
 public:
  using Close = int (*)(std::int64_t);

  Handle(std::int64_t id, Close close) : id_(id), close_(close) {}
  ~Handle() { release(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, kNone)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      release();
      id_ = std::exchange(other.id_, kNone);
      close_ = other.close_;
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] std::int64_t id() const { return id_; }

 private:
  static constexpr std::int64_t kNone = -1;

  void release() noexcept {
    if (id_ != kNone) {
      close_(std::exchange(id_, kNone));
    }
  }

  std::int64_t id_;
  Close close_;
};

/// Version of the HDF5 library in use, "1.10.8".
std::string library_version();

/// Files, groups, datasets, attributes and committed types that are open in this process; 0 when every object
/// of this module is gone.
std::int64_t open_objects();

}  // namespace adapt::hdf5
