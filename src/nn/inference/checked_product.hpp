#pragma once

#include <functional>

#include "nn/inference/steps.hpp"

namespace adapt {

/// What runs the product of `parts`: what `make_library` gives, which does so by oneDNN on the memory of
/// `parts`, or own_product(). Of bytes whichever is faster here (nn/kernels/tuning.hpp) where both round
/// alike and a trial finds them equal, bit for bit, and our own elsewhere; of floats the library, if it is
/// found to be right. A library that is wrong is a line in the log. Both are tried on the whole range of
/// bytes in the memory of the step, whose content is lost.
std::function<void()> checked_product(const StepParts& parts,
                                      const std::function<std::function<void()>()>& make_library);

}  // namespace adapt
