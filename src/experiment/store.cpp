#include "experiment/store.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "experiment/claim.hpp"
#include "experiment/interruption.hpp"
#include "experiment/pruning.hpp"
#include "record/integrity.hpp"

namespace adapt {
namespace {

constexpr const char* kFailed = "FAILED";
constexpr const char* kRequeues = "requeues";
constexpr const char* kExperiment = "experiment.yaml";
constexpr const char* kOutput = "output.txt";
constexpr const char* kReport = "report";

bool has_checkpoint(const std::filesystem::path& run_dir) {
  std::error_code missing;
  const std::filesystem::directory_iterator files(run_dir / "checkpoints", missing);
  return std::any_of(begin(files), end(files), [](const auto& entry) {
    std::error_code ignored;
    return entry.path().filename().string().find(".tmp.") == std::string::npos &&
           !entry.is_directory(ignored);
  });
}

std::filesystem::path real_path(const std::filesystem::path& path) {
  std::error_code unreadable;
  const std::filesystem::path real = std::filesystem::canonical(path, unreadable);
  return unreadable ? path : real;
}

/// Whether a link leads to the folder that it lies in, or to one above.
bool leads_back(const std::filesystem::path& link) {
  const std::filesystem::path target = real_path(link);
  const std::filesystem::path place = real_path(link.parent_path());
  return std::mismatch(target.begin(), target.end(), place.begin(), place.end()).first == target.end();
}

/// Whether an entry of a store is a folder, itself or by a link. Says so where it is none.
bool is_run_folder(const std::filesystem::directory_entry& entry) {
  std::error_code ignored;
  if (!entry.is_symlink(ignored)) {
    const bool is_folder = entry.is_directory(ignored);
    if (!is_folder) {
      log_warning(concat("left out: ", entry.path().string(), ": not a folder"));
    }
    return is_folder;
  }
  const bool nowhere = !std::filesystem::exists(entry.path(), ignored);
  if (nowhere || leads_back(entry.path())) {
    log_warning(concat("left out: ", entry.path().string(), ": a link that leads ",
                       nowhere ? "nowhere" : "back to a folder that it lies in"));
    return false;
  }
  return entry.is_directory(ignored);
}

}  // namespace

std::optional<std::string> obstacle_to(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const Obstructed& failure) {
    return failure.what();
  } catch (const MachineFailure&) {
    throw;
  } catch (const Error& error) {
    return error.what();
  }
}

const char* state_name(RunState state) {
  constexpr std::array kNames = {"planned", "running", "done", "failed", "pruned", "resumable"};
  return kNames[static_cast<std::size_t>(state)];
}

bool is_identity(const std::string& name) {
  constexpr std::size_t kDigits = 16;
  return name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

RunState state_of(const std::filesystem::path& run_dir) {
  if (check_done(run_dir) == Done::matches) {
    return RunState::done;
  }
  std::error_code ignored;
  if (living_owner(run_dir)) {
    return RunState::running;
  }
  if (std::filesystem::exists(run_dir / kFailed, ignored)) {
    return RunState::failed;
  }
  if (const std::optional<RungNote> rungs = rungs_of(run_dir); rungs && rungs->stopped) {
    return RunState::pruned;
  }
  const bool begun = has_claim(run_dir) || has_checkpoint(run_dir) || interruption_of(run_dir);
  return begun ? RunState::resumable : RunState::planned;
}

std::vector<std::string> RunStore::identities() const {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(path_, missing)) {
    if (is_identity(entry.path().filename().string()) && is_run_folder(entry)) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  std::map<std::filesystem::path, std::string> by_place;
  for (const std::string& name : names) {
    const std::filesystem::path place = real_path(folder(name));
    std::string& chosen = by_place.emplace(place, name).first->second;
    chosen = place.filename() == name ? name : chosen;
  }
  std::set<std::string> found;
  for (const auto& [place, name] : by_place) {
    found.insert(name);
  }
  return {found.begin(), found.end()};
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
  if (check_done(folder(identity)) == Done::matches) {
    return RunState::done;
  }
  if (std::filesystem::exists(folder(identity) / kFailed, ignored)) {
    return RunState::failed;
  }
  const std::optional<RungNote> rungs = rungs_of(folder(identity));
  return rungs && rungs->stopped ? RunState::pruned : RunState::planned;
}

bool RunStore::is_linked(const std::string& identity) const {
  std::error_code ignored;
  return std::filesystem::is_symlink(folder(identity), ignored);
}

void RunStore::make_folder(const std::string& identity) const { make_own_folder(folder(identity)); }

void RunStore::write(const std::string& identity, const char* name, const std::string& text) const {
  Folder(folder(identity), Folder::Links::refused).write(name, std::as_bytes(std::span(text)));
}

void RunStore::prepare(const std::string& identity, const Configuration& configuration) const {
  make_folder(identity);
  const std::filesystem::path path = experiment(identity);
  const std::string text = resolved_yaml(configuration);
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  if (is_folder) {
    throw BadInput(concat(path, " is a folder; expected the run's configuration, or nothing"));
  }
  const std::uintmax_t size =
      std::filesystem::is_regular_file(path, ignored) ? std::filesystem::file_size(path, ignored) : 0;
  if (size != text.size() || read_text(path, kSmallFile) != text) {
    write(identity, kExperiment, text);
  }
}

void RunStore::write_failure(const std::string& identity, const RunFailure& failure) const {
  write(identity, kFailed,
        json_text({{"exit_code", failure.exit_code},
                   {"message", failure.message},
                   {"time", failure.time},
                   {"requeues", failure.requeues},
                   {"reason", name_of(failure.reason)},
                   {"nodes", failure.nodes},
                   {"memory_mb", failure.memory_mb}}));
}

std::optional<RunFailure> RunStore::failure(const std::string& identity) const {
  const std::filesystem::path path = folder(identity) / kFailed;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  try {
    const Json json = parse_json(read_text(path, kSmallFile), path.string());
    return RunFailure{static_cast<int>(integer_of(json, "exit_code").value_or(1)),
                      text_of(json, "message"),
                      text_of(json, "time"),
                      static_cast<int>(integer_of(json, "requeues").value_or(0)),
                      find_named<Reason>(text_of(json, "reason")).value_or(Reason::unknown),
                      text_of(json, "nodes"),
                      integer_of(json, "memory_mb").value_or(0)};
  } catch (const BadInput& error) {
    return RunFailure{1, error.what(), "", 0};  // the file itself says that it failed
  }
}

void RunStore::clear_failure(const std::string& identity) const {
  if (is_linked(identity)) {
    return;
  }
  if (failure(identity)) {
    Folder(folder(identity), Folder::Links::refused).remove(kFailed);
  }
  clear_interruption(folder(identity));
}

int RunStore::requeues(const std::string& identity) const {
  const std::filesystem::path path = folder(identity) / kRequeues;
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? std::atoi(read_text(path, kSmallFile).c_str()) : 0;
}

void RunStore::set_requeues(const std::string& identity, int count) const {
  write(identity, kRequeues, concat(count, "\n"));
}

}  // namespace adapt
