#include "cli/tuning.hpp"

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/log.hpp"
#include "cli/versions.hpp"
#include "nn/kernels/tuning.hpp"
#include "numerics/dispatch.hpp"

namespace adapt::cli {
namespace {

constexpr const char* kVariable = "ADAPT_KERNELS";

/// The value of an environment variable; empty where there is none.
std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

/// Empty where the user has no folder for it.
std::filesystem::path record_file() {
  if (!variable(kVariable).empty()) {
    return variable(kVariable);
  }
  const std::filesystem::path cache = variable("XDG_CACHE_HOME");
  const std::filesystem::path home = variable("HOME");
  const auto folder = cache.is_absolute() ? cache : home.is_absolute() ? home / ".cache" : "";
  return folder.empty() ? folder : folder / "adapt" / "kernels.json";
}

/// What decides how fast a kernel is.
std::string machine() {
  const auto facts = program_provenance();
  return concat(facts.at("cpu_model"), ", ", vector::level().name, ", oneDNN ", facts.at("onednn_version"),
                " ", facts.at("onednn_instruction_set"), ", adapt ", facts.at("adapt_version"));
}

}  // namespace

void add_tuning_option(Usage& usage) {
  usage.options.add_options()(
      "no-tune", boost::program_options::bool_switch(),
      "multiply by the usual kernels, without trying which of several exact ones is the "
      "fastest here, and without the file that remembers it (results do not depend on it)");
}

bool wants_tuning(const boost::program_options::variables_map& values) {
  return !values["no-tune"].as<bool>() && variable(kVariable) != "off";
}

void begin_tuning(bool tune, const mpi::Communicator& ranks) {
  KernelRecord& record = KernelRecord::of_process();
  if (!tune) {
    record.switch_off();
  } else if (const auto file = record_file(); !file.empty()) {
    const std::string flaw = record.open(file, machine());
    if (!flaw.empty() && ranks.rank() == 0) {
      log_warning(flaw);
    }
  }
}

void end_tuning(const mpi::Communicator& ranks) {
  if (ranks.rank() == 0) {
    KernelRecord::of_process().save();
  }
}

}  // namespace adapt::cli
