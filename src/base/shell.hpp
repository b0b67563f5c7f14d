#pragma once

#include <string>
#include <vector>

namespace adapt {

/// Whether `text` holds a control character (below a blank, or DEL): a line break would end the line that the
/// text is put into.
bool has_control_character(const std::string& text);

/// `text` as one word of a POSIX shell, in quotes where it needs them.
std::string shell_word(const std::string& text);

/// The words as a command that a shell takes apart into the same words again.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace adapt
