#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "experiment/reason.hpp"

namespace adapt {

/// The last attempts at a run, each of which something else than the run itself ended: a lost node, a signal.
/// The file `interrupted` in the run's folder, JSON.
struct Interruption {
  int count = 0;           ///< in a row, since the run last made a checkpoint
  std::string checkpoint;  ///< the newest one when it was interrupted; "" for none
  std::string message;     ///< the last time, one line
  Reason reason = Reason::unknown;
  std::string nodes;  ///< where that was
};

/// So many interruptions without a new checkpoint between them, and it is the run's own fault.
inline constexpr int kMostInterruptions = 3;

/// What the run's folder says; nothing where no attempt was interrupted.
std::optional<Interruption> interruption_of(const std::filesystem::path& run_dir);

/// Counts one more, from 1 where the run has made a checkpoint since the last one. Throws MachineFailure.
Interruption note_interruption(const std::filesystem::path& run_dir, const std::string& message,
                               Reason reason = Reason::unknown, const std::string& nodes = nodes_here());

/// Forgets them.
void clear_interruption(const std::filesystem::path& run_dir);

}  // namespace adapt
