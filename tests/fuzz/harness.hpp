#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "base/log.hpp"
#include "experiment/configuration.hpp"
#include "support/scratch.hpp"

/// One input of the parser that a harness is of: whatever it holds, it is read, or refused with BadInput.
/// Anything else (another exception, a crash, a result that is none) ends the process. libFuzzer calls it,
/// and driver.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace adapt::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Calls `read` on what may be refused. Other exceptions than BadInput end the process.
template <class Read>
void read_or_refuse(const Read& read) noexcept {
  try {
    read();
  } catch (const BadInput&) {
  }
}

/// Ends the process, so that the input is kept, unless `right`.
inline void require(bool right) {
  if (!right) {
    std::abort();
  }
}

/// Writes a file, making its folders.
inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// A folder for the files of one process, which prints errors only.
inline const std::filesystem::path& folder() {
  static const test::Scratch scratch;
  static const bool quiet = (configure_log(0, LogLevel::error), true);
  static_cast<void>(quiet);
  return scratch.path();
}

/// Stands for the program's registries.
inline const KnownNames& known_names() {
  static const KnownNames names = {{"lenet5", "resnet20"}, {"mnist", "procedural"}};
  return names;
}

}  // namespace adapt::fuzz
