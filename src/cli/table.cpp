#include "cli/table.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/terminal.hpp"

namespace adapt::cli {

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += concat(line.empty() ? "" : "  ", row[column],
                     std::string(widths[column] - row[column].size(), ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    print_line(line);
  }
}

}  // namespace adapt::cli
