#include "base/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <system_error>

#include "base/error.hpp"

namespace adapt {
namespace {

/// Unicode from `first` to `last`.
struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Controls, format characters (bidirectional text, zero width, tags), and ends of lines.
constexpr std::array kUnprintable = {Range{0x00, 0x1F},     Range{0x7F, 0x9F},      Range{0xAD, 0xAD},
                                     Range{0x61C, 0x61C},   Range{0x180E, 0x180E},  Range{0x200B, 0x200F},
                                     Range{0x2028, 0x202E}, Range{0x2060, 0x206F},  Range{0xFEFF, 0xFEFF},
                                     Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE0FFF}};

bool is_printable(std::uint32_t code) {
  const bool plain = code >= 0x20 && code < 0x7F;  // nearly all
  return plain || std::none_of(kUnprintable.begin(), kUnprintable.end(),
                               [&](const Range& range) { return range.first <= code && code <= range.last; });
}

std::string hexadecimal(std::uint32_t value, int digits) {
  std::string text;
  for (int digit = digits - 1; digit >= 0; --digit) {
    text += "0123456789abcdef"[value >> (4 * digit) & 0xFU];
  }
  return text;
}

std::string spelled_out(const Character& character) {
  if (!character.is_utf8) {
    return "\\x" + hexadecimal(character.code, 2);
  }
  switch (character.code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return character.code <= 0xFFFFU ? "\\u" + hexadecimal(character.code, 4)
                                       : "\\U" + hexadecimal(character.code, 8);
  }
}

/// `text` with all spelled out that is neither printable nor one of `kept`.
std::string printable(std::string_view text, std::string_view kept) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.is_printable || kept.find(text.front()) != std::string_view::npos) {
      result += text.substr(0, character.length);
    } else {
      result += spelled_out(character);
    }
    text.remove_prefix(character.length);
  }
  return result;
}

}  // namespace

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) -> std::uint32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const std::uint32_t first = byte(0);
  if (first < 0x80U) {
    return {1, first, true, is_printable(first)};
  }
  const std::size_t length = first >= 0xF0U ? 4 : first >= 0xE0U ? 3 : 2;
  std::uint32_t code = first & (0xFFU >> (length + 1));
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  bool wrong = first < 0xC2U || first > 0xF4U || (first == 0xE0U && byte(1) < 0xA0U) ||
               (first == 0xEDU && byte(1) > 0x9FU) || (first == 0xF0U && byte(1) < 0x90U) ||
               (first == 0xF4U && byte(1) > 0x8FU);
  for (std::size_t i = 1; i < length; ++i) {
    wrong = wrong || (byte(i) & 0xC0U) != 0x80U;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  return wrong ? Character{1, first, false, false} : Character{length, code, true, is_printable(code)};
}

std::string printable_line(std::string_view text) { return printable(text, ""); }

std::string printable_text(std::string_view text) { return printable(text, "\n\t"); }

void print_text(std::string_view text) { std::cout << printable_text(text); }

void print_line(std::string_view text) { std::cout << printable_line(text) << "\n"; }

void clear_screen() { std::cout << (::isatty(STDOUT_FILENO) == 1 ? "\x1b[H\x1b[2J" : "\n"); }

void finish_output() {
  errno = 0;
  if (!std::cout.flush()) {
    throw Failure(concat("cannot write to standard output",
                         errno == 0 ? "" : concat(": ", std::generic_category().message(errno))));
  }
}

}  // namespace adapt
