#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace adapt {

/// Memory that can still be taken, and what sets the bound.
struct MemoryBound {
  std::int64_t bytes = 0;
  std::string source;  ///< "MemAvailable", "the limit of the control group /slurm/job_1", "RLIMIT_AS"
};

/// What all processes of this machine, or of this one's control groups (v1 and v2, with all groups above),
/// can still take together without swapping: free memory, and files that the kernel keeps only because
/// nobody needs the place. `root` holds proc and sys. Without any bound (not Linux) the largest number.
MemoryBound available_memory(const std::filesystem::path& root = "/");

/// What this process may still take under its own limits (ulimit -v, -d).
MemoryBound available_to_process();

/// How many processes of this machine the kernel has killed since it started, as there was no memory for
/// them, in their control group or at all; 0 where it does not say. `root` holds proc.
std::int64_t killed_for_memory(const std::filesystem::path& root = "/");

/// Gives the whole pages of `memory` back to the machine; what they held is lost.
void give_back(std::span<const std::byte> memory);

/// "17.3 GB": three digits, in units of 1000.
std::string bytes_text(std::int64_t bytes);

}  // namespace adapt
