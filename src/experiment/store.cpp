#include "experiment/store.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/json_value.hpp"
#include "experiment/claim.hpp"
#include "experiment/interruption.hpp"
#include "record/layout.hpp"

namespace adapt {
namespace {

constexpr const char* kFailed = "FAILED";
constexpr const char* kRequeues = "requeues";
constexpr const char* kExperiment = "experiment.yaml";
constexpr const char* kOutput = "output.txt";
constexpr const char* kReport = "report";

std::string read_text(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool has_checkpoint(const std::filesystem::path& run_dir) {
  std::error_code missing;
  const std::filesystem::directory_iterator files(run_dir / "checkpoints", missing);
  return std::any_of(begin(files), end(files), [](const auto& entry) {
    return entry.path().filename().string().find(".tmp.") == std::string::npos;
  });
}

}  // namespace

const char* state_name(RunState state) {
  constexpr std::array kNames = {"planned", "running", "done", "failed", "resumable"};
  return kNames[static_cast<std::size_t>(state)];
}

bool is_identity(const std::string& name) {
  constexpr std::size_t kDigits = 16;
  return name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

RunState state_of(const std::filesystem::path& run_dir) {
  std::error_code ignored;
  if (std::filesystem::exists(run_dir / layout::kDoneName, ignored)) {
    return RunState::done;
  }
  if (is_claimed(run_dir)) {
    return RunState::running;
  }
  if (std::filesystem::exists(run_dir / kFailed, ignored)) {
    return RunState::failed;
  }
  const bool begun = has_claim(run_dir) || has_checkpoint(run_dir) || interruption_of(run_dir);
  return begun ? RunState::resumable : RunState::planned;
}

std::vector<std::string> RunStore::identities() const {
  std::vector<std::string> found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(path_, missing)) {
    const std::string name = entry.path().filename().string();
    if (is_identity(name)) {
      found.push_back(name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

RunState RunStore::state(const std::string& identity) const { return state_of(folder(identity)); }

std::filesystem::path RunStore::experiment(const std::string& identity) const {
  return folder(identity) / kExperiment;
}

std::filesystem::path RunStore::output(const std::string& identity) const {
  return folder(identity) / kOutput;
}

std::filesystem::path RunStore::report(const std::string& identity) const {
  return folder(identity) / kReport;
}

RunState RunStore::result(const std::string& identity) const {
  std::error_code ignored;
  if (std::filesystem::exists(folder(identity) / layout::kDoneName, ignored)) {
    return RunState::done;
  }
  return std::filesystem::exists(folder(identity) / kFailed, ignored) ? RunState::failed : RunState::planned;
}

void RunStore::make_folder(const std::string& identity) const {
  std::error_code error;
  std::filesystem::create_directories(folder(identity), error);
  if (error) {
    throw MachineFailure(concat("cannot make ", folder(identity), ": ", error.message()));
  }
}

void RunStore::prepare(const std::string& identity, const Configuration& configuration) const {
  make_folder(identity);
  const std::filesystem::path path = experiment(identity);
  const std::string text = resolved_yaml(configuration);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored) || read_text(path) != text) {
    write_atomically(path, text);
  }
}

void RunStore::write_failure(const std::string& identity, const RunFailure& failure) const {
  JsonWriter json;
  json.begin_object();
  json.member("exit_code", std::int64_t{failure.exit_code});
  json.member("message", failure.message);
  json.member("time", failure.time);
  json.member("requeues", std::int64_t{failure.requeues});
  json.end_object();
  write_atomically(folder(identity) / kFailed, json.text());
}

std::optional<RunFailure> RunStore::failure(const std::string& identity) const {
  const std::filesystem::path path = folder(identity) / kFailed;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  try {
    const JsonValue json = parse_json(read_text(path), path.string());
    return RunFailure{static_cast<int>(json.integer_of("exit_code").value_or(1)), json.text_of("message"),
                      json.text_of("time"), static_cast<int>(json.integer_of("requeues").value_or(0))};
  } catch (const BadInput& error) {
    return RunFailure{1, error.what(), "", 0};  // the file itself says that it failed
  }
}

void RunStore::clear_failure(const std::string& identity) const {
  std::error_code error;
  std::filesystem::remove(folder(identity) / kFailed, error);
  if (error) {
    throw MachineFailure(concat("cannot remove ", folder(identity) / kFailed, ": ", error.message()));
  }
  clear_interruption(folder(identity));
}

int RunStore::requeues(const std::string& identity) const {
  const std::filesystem::path path = folder(identity) / kRequeues;
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? std::atoi(read_text(path).c_str()) : 0;
}

void RunStore::set_requeues(const std::string& identity, int count) const {
  write_atomically(folder(identity) / kRequeues, concat(count, "\n"));
}

}  // namespace adapt
