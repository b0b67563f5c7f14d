#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adapt {

/// Edit distance between two words: the least number of inserted, removed, replaced, or swapped neighbouring
/// characters (optimal string alignment; bytes are compared, letter case ignored).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` was most likely meant to be: the one at the least edit distance, the first of
/// several; none when it differs in more than a third of its characters (at least one may differ).
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// The words between commas: "a, b, c".
std::string join_names(const std::vector<std::string>& names);

/// The end of a message about an unknown name: "; did you mean 'x'?", or without a near candidate
/// "; expected one of a, b, c".
std::string name_hint(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace adapt
