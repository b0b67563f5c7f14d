#include "record/run_file.hpp"

#include <system_error>

#include "base/error.hpp"
#include "record/layout.hpp"

namespace adapt {
namespace {

std::filesystem::path file_of(const std::filesystem::path& run_dir) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(run_dir, ignored)) {
    return run_dir;
  }
  if (!std::filesystem::exists(run_dir / layout::kFileName, ignored)) {
    throw BadInput(
        concat("folder ", run_dir, " holds no ", layout::kFileName, ": expected the folder of a run"));
  }
  return run_dir / layout::kFileName;
}

RunContents read_all(const std::filesystem::path& file) {
  RunReader reader;
  return reader.read(file, RunParts::all);
}

}  // namespace

RunFile::RunFile(const std::filesystem::path& run_dir)
    : path_(file_of(run_dir)), contents_(read_all(path_)) {}

RunFile::RunFile(const std::filesystem::path& run_dir, RunParts parts, RunReader& reader)
    : path_(file_of(run_dir)), contents_(reader.read(path_, parts)) {}

const std::vector<LayerRecord>& RunFile::layer_rows(const std::string& name) const {
  const auto found = contents_.layer_rows.find(name);
  if (found == contents_.layer_rows.end()) {
    throw BadInput(concat("cannot read run file ", path_, ": /layers/", name, " is missing"));
  }
  return found->second;
}

}  // namespace adapt
