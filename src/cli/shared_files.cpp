#include "cli/shared_files.hpp"

#include <filesystem>

namespace adapt::cli {

std::string program_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

std::string shared_path(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(program_path()).parent_path();
  for (const char* way : {"../share/adapt", "../.."}) {
    const std::filesystem::path path = (folder / way / name).lexically_normal();
    if (std::filesystem::exists(path)) {
      return path.string();
    }
  }
  return "";
}

}  // namespace adapt::cli
