#include "hdf5/handle.hpp"

#include <algorithm>

#include "hdf5/call.hpp"

namespace adapt::hdf5 {
namespace {

/// H5Ewalk2 callback: keeps the first message it is shown.
herr_t keep_first(unsigned /*index*/, const H5E_error2_t* error, void* message) {
  auto& text = *static_cast<std::string*>(message);
  if (text.empty() && error->desc != nullptr) {
    text = error->desc;
  }
  return 0;
}

}  // namespace

void silence() {
  thread_local const herr_t once = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  static_cast<void>(once);
}

void fail(const std::string& what) {
  std::string message;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &message);
  H5Eclear2(H5E_DEFAULT);
  std::replace(message.begin(), message.end(), '\n', ' ');
  throw Error(concat(what, ": ", message.empty() ? "HDF5 gives no reason" : message));
}

std::string library_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  checked("HDF5 version", [&] { return H5get_libversion(&major, &minor, &release); });
  return concat(major, ".", minor, ".", release);
}

std::int64_t open_objects() {
  return checked("count open HDF5 objects", [] { return H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL); });
}

}  // namespace adapt::hdf5
