#pragma once

#include <string>
#include <vector>

namespace adapt {

// Slurm and MPI launchers speak to the programs that they start through environment variables, and programs
// that are started from there take these for options of their own: SBATCH_TIMELIMIT overrules what a batch
// script asks for, and a training with another one's PMIX_RANK takes itself for a rank of it. What stays is
// what a user sets about a machine: SLURM_CONF, SLURM_JWT, OMPI_MCA_btl_tcp_if_include, ...

/// "NAME=value" each, as execve() takes them.
using Environment = std::vector<std::string>;

/// This process's environment as it is.
Environment own_environment();

/// This process's environment for a program that a job around it does not concern: without a word of Slurm or
/// of an MPI launcher. For sbatch, squeue and scontrol, and for trainings on this machine.
Environment environment_outside_jobs();

/// The same, but for what names the job: SLURM_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_RESTART_COUNT. For
/// trainings that share a job's node, of which none is to take the job's resources for its own.
Environment environment_beside_jobs();

/// This process's environment for an MPI launcher within the same job: without a word of a launcher around
/// it.
Environment environment_for_launcher();

}  // namespace adapt
