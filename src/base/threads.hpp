#pragma once

namespace adapt {

/// OpenMP regions that the calling thread opens, so those of oneDNN, run on this many threads from now on.
/// Neither the environment (OMP_NUM_THREADS, OMP_DYNAMIC, OMP_MAX_ACTIVE_LEVELS) nor fewer processors change
/// the number. Throws BadInput where OpenMP gives fewer all the same, naming the variable that says so:
/// oneDNN would wait for the missing ones for ever.
void set_threads(int threads);

/// The same where set_threads(n) with n >= `threads` has shown that OpenMP gives so many.
void use_openmp_threads(int threads);

/// On how many threads OpenMP regions of the calling thread run.
int openmp_threads();

}  // namespace adapt
