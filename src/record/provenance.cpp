#include "record/provenance.hpp"

#include <fstream>
#include <sstream>

#include "base/process.hpp"
#include "hdf5/handle.hpp"
#include "record/build_info.hpp"

namespace adapt {
namespace {

constexpr const char* kUnknown = "unknown";

/// Value of the first line "`key` : value" of /proc/cpuinfo, or empty.
std::string cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string::npos) {
      const std::size_t value = line.find_first_not_of(' ', colon + 1);
      return value == std::string::npos ? "" : line.substr(value);
    }
  }
  return "";
}

/// The words of `flags` that name vector or matrix instructions of AVX or later.
std::string vector_flags(const std::string& flags) {
  std::istringstream words(flags);
  std::string chosen;
  for (std::string word; words >> word;) {
    if (word.starts_with("avx") || word.starts_with("amx") || word == "fma" || word == "sse4_2") {
      chosen += (chosen.empty() ? "" : " ") + word;
    }
  }
  return chosen;
}

std::string or_unknown(const std::string& text) { return text.empty() ? kUnknown : text; }

}  // namespace

std::map<std::string, std::string> build_provenance() {
  return {
      {"adapt_version", build_info::kVersion},
      {"git_commit", build_info::kGitCommit},
      {"git_dirty", build_info::kGitDirty},
      {"compiler", build_info::kCompiler},
      {"compiler_flags", build_info::kCompilerFlags},
      {"build_type", build_info::kBuildType},
      {"hdf5_version", hdf5::library_version()},
      {"cpu_model", or_unknown(cpuinfo("model name"))},
      {"instruction_sets", or_unknown(vector_flags(cpuinfo("flags")))},
      {"host", host_name()},
      {"start_time", utc_now()},
  };
}

}  // namespace adapt
