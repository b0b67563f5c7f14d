#pragma once

#include <string>

#include "record/run_log.hpp"

namespace adapt {

/// What is wrong with a tensor that a file gave, as the end of a sentence about it; empty where it is sound:
/// formats to compute with, integers that are numbers of theirs (or float32 numbers), as many as its shape
/// says.
std::string flaw_of(const ModelTensor& tensor);

}  // namespace adapt
