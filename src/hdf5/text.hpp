#pragma once

#include <functional>
#include <string>

#include "hdf5/datatype.hpp"

namespace adapt::hdf5 {

/// `text` as a C string. Throws Error ("`what` ...") when it holds a NUL, which would cut it short.
const char* checked_c_string(const std::string& text, const std::string& what);

/// Reads one text that is stored as `stored` (of fixed or variable length). `read` is called once, with the
/// type to read as and where to; it throws on failure.
std::string read_one_text(const Datatype& stored,
                          const std::function<void(const Datatype& memory, void* out)>& read);

}  // namespace adapt::hdf5
