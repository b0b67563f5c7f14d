#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "base/error.hpp"

namespace adapt::test {

/// A fresh folder that is removed with everything in it at the end of the scope.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "adapt-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::runtime_error("mkdtemp failed");
    }
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The message of the BadInput that `call` throws, without the path of the scratch folder; "accepted" if
/// none.
template <class Call>
std::string refusal_of(const Scratch& scratch, Call call) {
  try {
    call();
  } catch (const BadInput& error) {
    std::string message = error.what();
    const std::string folder = scratch.path().string() + "/";
    for (std::size_t at = message.find(folder); at != std::string::npos; at = message.find(folder)) {
      message.erase(at, folder.size());
    }
    return message;
  }
  return "accepted";
}

}  // namespace adapt::test
