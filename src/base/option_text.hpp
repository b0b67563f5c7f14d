#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace adapt {

// Values of command-line options, from their text. All throw BadInput that names the `option` ("batch"), what
// was expected and what was found.

/// An integer low..high.
std::int64_t option_integer(const std::string& option, const std::string& text, std::int64_t low,
                            std::int64_t high);
/// Such integers between commas, at least one.
std::vector<std::int64_t> option_integers(const std::string& option, const std::string& text,
                                          std::int64_t low, std::int64_t high);
/// A number above 0, at most `high`.
double option_positive(const std::string& option, const std::string& text, double high);
/// Names between commas, at least one, each one of `known`.
std::vector<std::string> option_names(const std::string& option, const std::string& text,
                                      const std::vector<std::string>& known);
/// The same, none twice.
std::vector<std::string> option_distinct_names(const std::string& option, const std::string& text,
                                               const std::vector<std::string>& known);
/// One of `known`.
std::string option_name(const std::string& option, const std::string& text,
                        const std::vector<std::string>& known);

}  // namespace adapt
