#include "experiment/frozen.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/sha256.hpp"

namespace adapt {
namespace {

constexpr const char* kPrograms = "programs";
constexpr const char* kProgram = "adapt";
constexpr const char* kFrozen = "frozen";
constexpr const char* kTrain = "dataset_train_sha256";
constexpr const char* kTest = "dataset_test_sha256";
constexpr std::uintmax_t kLargestProgram = std::uintmax_t{1} << 31U;
constexpr unsigned kExecutable = 0755;

bool is_digest(const std::string& name) {
  constexpr std::size_t kDigits = 64;
  return name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Whether a whole copy is there, and not half a one, or somebody else's file.
bool is_whole(const FrozenProgram& copy) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(std::filesystem::symlink_status(copy.path, ignored)) &&
         sha256(read_file(copy.path, kLargestProgram)) == copy.sha256;
}

FrozenData read_data(const GridRun& run) {
  try {
    const DataSplits data = open_dataset(run.configuration.data, run.configuration.seed);
    return {data.train->checksum(), data.test->checksum()};
  } catch (const BadInput& error) {
    log_warning(concat("the data of ", run.label, " are not frozen: ", error.what()));
    return {};
  }
}

/// What the data of two runs are the same by. Folds are cut by the seed.
std::string data_key(const Configuration& configuration) {
  std::string key = configuration.data.folds > 0 ? std::to_string(configuration.seed) : "";
  for (const auto& [name, value] : json_values(configuration)) {
    key += name.starts_with("data.") ? concat(" ", name, "=", value) : "";
  }
  return key;
}

}  // namespace

FrozenProgram frozen_program(const RunStore& store, const std::filesystem::path& program) {
  const std::string digest = sha256(read_file(program, kLargestProgram));
  return {digest, store.path() / kPrograms / digest / kProgram};
}

void copy_program(const FrozenProgram& copy, const std::filesystem::path& program) {
  make_own_folder(copy.path.parent_path().parent_path());
  make_own_folder(copy.path.parent_path());
  if (!is_whole(copy)) {
    Folder(copy.path.parent_path(), Folder::Links::refused)
        .write(kProgram, read_file(program, kLargestProgram), kExecutable);
  }
  if (::access(copy.path.c_str(), X_OK) != 0) {
    fail_with(concat("cannot start the program from ", copy.path,
                     ", where jobs find it; expected a --store on a file system that allows that"),
              errno);
  }
}

std::vector<std::string> programs_in(const RunStore& store) {
  std::vector<std::string> digests;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(store.path() / kPrograms, missing)) {
    if (is_digest(entry.path().filename().string())) {
      digests.push_back(entry.path().filename().string());
    }
  }
  std::sort(digests.begin(), digests.end());
  return digests;
}

void remove_program(const RunStore& store, const std::string& sha256) {
  const std::filesystem::path path = store.path() / kPrograms / sha256;
  Folder(path, Folder::Links::refused).remove(kProgram);
  std::error_code ignored;  // what else lies there is not ours
  std::filesystem::remove(path, ignored);
}

std::vector<FrozenData> freeze_data(const std::vector<GridRun>& runs) {
  std::map<std::string, FrozenData> known;
  std::vector<FrozenData> frozen;
  for (const GridRun& run : runs) {
    if (!describe_dataset(run.configuration.data).in_files) {
      frozen.emplace_back();
      continue;
    }
    const std::string key = data_key(run.configuration);
    if (known.count(key) == 0) {
      known.emplace(key, read_data(run));
    }
    frozen.push_back(known.at(key));
  }
  return frozen;
}

std::filesystem::path frozen_path(const RunStore& store, const std::string& identity) {
  return store.folder(identity) / kFrozen;
}

void write_frozen(const RunStore& store, const std::string& identity, const FrozenData& data) {
  const std::string text = json_text({{kTrain, data.train_sha256}, {kTest, data.test_sha256}});
  Folder(store.folder(identity), Folder::Links::refused).write(kFrozen, std::as_bytes(std::span(text)));
}

void check_frozen(const std::filesystem::path& frozen, const DataSplits& data) {
  std::error_code ignored;
  if (!std::filesystem::exists(frozen, ignored)) {
    return;
  }
  const Json json = parse_json(read_text(frozen, kSmallFile), frozen.string());
  const auto check = [&](const char* name, const Dataset& dataset) {
    const std::string was = text_of(json, name);
    if (!was.empty() && was != dataset.checksum()) {
      throw BadInput(concat("the data changed since the run was submitted: ", name, " was ", was, ", is ",
                            dataset.checksum(), "; expected the data as they were, or another --submit"));
    }
  };
  check(kTrain, *data.train);
  check(kTest, *data.test);
}

}  // namespace adapt
