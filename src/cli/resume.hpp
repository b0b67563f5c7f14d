#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "data/dataset.hpp"
#include "experiment/configuration.hpp"
#include "mpi/communicator.hpp"
#include "record/run_file.hpp"
#include "train/checkpoint_folder.hpp"

namespace adapt::cli {

/// Where a run goes on.
struct ResumePoint {
  bool done = false;  ///< nowhere: the run is complete
  /// Absent: from the beginning, as nothing is there yet, or no checkpoint was reached.
  std::optional<Checkpoint> checkpoint;
  std::unique_ptr<RunFile> earlier;  ///< the log so far, where there is a checkpoint
};

/// Looks into `run_dir` (rank 0); no checkpoint has more than `most_bytes`. Throws BadInput where it holds a
/// run of another experiment or data set, or files that do not belong together, or only damaged checkpoints.
ResumePoint find_resume_point(const std::filesystem::path& run_dir, const Configuration& configuration,
                              const DataSplits& data, CheckpointFolder& checkpoints,
                              std::uintmax_t most_bytes);

/// Tells the other ranks what rank 0 found (collective); the log stays with rank 0.
void broadcast(ResumePoint& point, const mpi::Communicator& ranks);

/// Adds this resumption to those that the log's provenance names: "step 12 on 2 ranks; ...", and what the
/// earlier ranks computed with where it was something else.
void note_resumption(std::map<std::string, std::string>& provenance, const ResumePoint& point);

}  // namespace adapt::cli
