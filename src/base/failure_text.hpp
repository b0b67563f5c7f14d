#pragma once

#include <exception>
#include <string>

namespace adapt {

/// What an exception says, in one line. Where memory ran out: on which rank, and in which phase.
std::string failure_text(const std::exception& error);

}  // namespace adapt
