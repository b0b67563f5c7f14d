#pragma once

#include <string>
#include <vector>

namespace adapt::cli {

/// Prints rows, the first of which is the head, with columns of the same width.
void print_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace adapt::cli
