#include "cli/output_file.hpp"

#include <system_error>

#include "base/error.hpp"

namespace adapt::cli {
namespace {

namespace fs = std::filesystem;

/// False where one of them is not there.
bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code unknown;
  return fs::equivalent(a, b, unknown);
}

}  // namespace

void check_output_file(const std::string& option, const fs::path& path, const fs::path& run_dir) {
  const auto refuse = [&](const std::string& what) {
    throw BadInput(concat(option, " ", path, ": ", what, "; expected the name of a file to be written"));
  };
  std::error_code unknown;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!path.has_filename()) {
    refuse(path.empty() ? "is empty" : "is a folder");
  }
  if (!fs::is_directory(folder, unknown)) {
    refuse(concat("there is no folder ", folder));
  }
  const fs::file_status there = fs::symlink_status(path, unknown);
  if (fs::exists(there) && !fs::is_regular_file(there)) {
    refuse("something else than a regular file stands there");
  }
  if (is_same(path, run_dir / "run.h5") || is_same(path, run_dir / "DONE") ||
      is_same(folder, run_dir / "checkpoints")) {
    refuse("the run itself is stored there");
  }
}

}  // namespace adapt::cli
