#pragma once

#include "nn/kernels/library_product.hpp"

namespace adapt {

/// Whether a product of the library equals plain loops on operands that reach both ends of their range, with
/// sums as large as the library may be asked for. The very primitive is tried that will be used, with all its
/// images, all of whose sums are compared; it is left with weights of the test. A few milliseconds.
bool gives_known_answer(const WindowProduct& product, LibraryProduct& library);

/// The same, asked once for each shape in a process. A wrong answer is logged.
bool is_right_here(const WindowProduct& product, LibraryProduct& library);

/// Logs that the library multiplies wrongly; only the first time in a process.
void log_wrong_library(const WindowProduct& product);

}  // namespace adapt
