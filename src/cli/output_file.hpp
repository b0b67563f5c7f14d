#pragma once

#include <filesystem>
#include <string>

namespace adapt::cli {

/// Before work is done for it: throws BadInput unless a file can be written as `path`, which `option` gave.
/// Its folder is there, and what stands at its place is nothing, or a regular file other than those that the
/// run in `run_dir` consists of.
void check_output_file(const std::string& option, const std::filesystem::path& path,
                       const std::filesystem::path& run_dir);

}  // namespace adapt::cli
