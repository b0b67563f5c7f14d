#include "hdf5/text.hpp"

#include <memory>

#include "hdf5/call.hpp"

namespace adapt::hdf5 {
namespace {

/// Fixed-length texts that are longer than this are taken for damage.
constexpr std::size_t kLongestFixedText = std::size_t{1} << 26;

}  // namespace

const char* checked_c_string(const std::string& text, const std::string& what) {
  if (text.find('\0') != std::string::npos) {
    throw Error(concat(what, " holds a NUL character"));
  }
  return text.c_str();
}

std::string read_one_text(const Datatype& stored,
                          const std::function<void(const Datatype& memory, void* out)>& read) {
  if (stored.variable_length()) {
    char* raw = nullptr;
    read(stored, static_cast<void*>(&raw));
    const std::unique_ptr<char, herr_t (*)(void*)> owned(raw, H5free_memory);
    return raw == nullptr ? std::string() : std::string(raw);
  }
  if (stored.bytes() > kLongestFixedText) {
    throw Error(concat("a text claims ", stored.bytes(), " bytes, expected at most ", kLongestFixedText));
  }
  std::string text(stored.bytes(), '\0');
  read(stored, text.data());
  text.resize(::strnlen(text.data(), text.size()));
  return text;
}

}  // namespace adapt::hdf5
