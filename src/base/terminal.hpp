#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace adapt {

// Text that came from a file may hold anything. What this program prints passes through here, so that no file
// can forge a line, clear the screen or turn the reading direction.

/// The character at the start of a text.
struct Character {
  std::size_t length = 1;  ///< bytes
  std::uint32_t code = 0;  ///< Unicode; of a byte that is no UTF-8 (RFC 3629) the byte itself
  bool is_utf8 = false;
  /// Whether it can be printed as it is: no control character, no mark that steers the direction of text, is
  /// not seen, or ends a line.
  bool is_printable = false;
};

/// The first character of `text`, which is not empty.
Character first_character(std::string_view text);

/// `text` as one line for a terminal: what is not printable is spelled out, as in \n, \u001b, \u202e, and
/// \xff for a byte that is no UTF-8. Leaves its own result alone.
std::string printable_line(std::string_view text);

/// The same for several lines: line ends and tabs stay.
std::string printable_text(std::string_view text);

/// Prints printable_text() to standard output.
void print_text(std::string_view text);

/// Prints printable_line() and a line end to standard output.
void print_line(std::string_view text);

/// Empties the terminal that standard output is, for what is printed next; elsewhere prints a blank line.
void clear_screen();

/// Everything printed has reached standard output. Throws Failure where it cannot, as on a full disk.
void finish_output();

}  // namespace adapt
