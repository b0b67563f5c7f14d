#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/names.hpp"

namespace adapt {

/// Why a run ended before its time, as far as anybody says.
enum class Reason {
  unknown,  ///< nobody says more than that it ended: a kill, a crash, a rank that hung
  oom,      ///< out of memory: the program's word, the kernel's or Slurm's
  timeout,  ///< Slurm's time limit, without a checkpoint in time
  node,     ///< a node was lost
  nan,      ///< numbers became NaN or infinite
  input,    ///< the experiment or its data are wrong
  bug,      ///< the program failed at what it was asked to do
};
template <>
inline constexpr auto kNames<Reason> = std::array{
    Named{"unknown", Reason::unknown}, Named{"oom", Reason::oom}, Named{"timeout", Reason::timeout},
    Named{"node", Reason::node},       Named{"nan", Reason::nan}, Named{"input", Reason::input},
    Named{"bug", Reason::bug}};

/// Of what a training says of itself.
Reason reason_said(ExitCode code, Cause cause);

/// Of what ended it from outside: `lines` that it and its launcher (srun, mpirun) printed, its exit code (128
/// + number for a signal), and whether the kernel has killed a process of this machine for memory meanwhile.
Reason reason_seen(const std::vector<std::string>& lines, int exit_code, bool killed_for_memory);

/// Of a state of Slurm's in which a task ends: OUT_OF_MEMORY, TIMEOUT, NODE_FAIL, BOOT_FAIL; others say
/// nothing of the run.
Reason reason_of_state(const std::string& state);

/// The nodes that a run has here: Slurm's list of the job's, else this machine.
std::string nodes_here();

/// Memory that Slurm gives the job around this process on a node, MB; 0: no job, or it does not say.
std::int64_t job_memory();

}  // namespace adapt
