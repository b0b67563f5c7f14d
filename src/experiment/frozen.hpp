#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "experiment/grid.hpp"
#include "experiment/store.hpp"
#include "experiment/submission.hpp"

namespace adapt {

// A submission is frozen. What a queued job runs does not change with what is edited meanwhile:
//   STORE/programs/<SHA-256>/adapt  the program, copied
//   STORE/<identity>/frozen         JSON: what else was there when the run was submitted (Inputs)
// Experiments are in the store anyway, with their graphs and the digest of weights to start from.

/// A copy of the program in a store.
struct FrozenProgram {
  std::string sha256;
  std::filesystem::path path;  ///< STORE/programs/<sha256>/adapt
};

/// What a copy of `program` is to be called, without making it. Throws BadInput where it cannot be read.
FrozenProgram frozen_program(const RunStore& store, const std::filesystem::path& program);

/// Makes the copy, unless there is a whole one. Throws MachineFailure where it cannot be made, or cannot be
/// started from there (a file system that is mounted noexec); BadInput where a link is in its place.
void copy_program(const FrozenProgram& copy, const std::filesystem::path& program);

/// Digests of the copies in a store, sorted.
std::vector<std::string> programs_in(const RunStore& store);

/// Removes a copy. A job that runs it goes on. Throws as Folder::remove().
void remove_program(const RunStore& store, const std::string& sha256);

/// The data that a run was submitted with. Empty: they were not to be seen then.
struct FrozenData {
  std::string train_sha256 = {};  ///< Dataset::checksum()
  std::string test_sha256 = {};
};

/// Reads the data of each run, those that runs share once; by position. Data without files (procedural) have
/// nothing to be edited, and stay empty, as do those that cannot be read from here, with a warning.
std::vector<FrozenData> freeze_data(const std::vector<GridRun>& runs);

/// STORE/<identity>/frozen.
std::filesystem::path frozen_path(const RunStore& store, const std::string& identity);

/// Writes it. Throws as RunStore::prepare().
void write_frozen(const RunStore& store, const std::string& identity, const FrozenData& data);

/// Throws BadInput where the data are not those that the file `frozen` names; none: nothing was frozen.
void check_frozen(const std::filesystem::path& frozen, const DataSplits& data);

}  // namespace adapt
