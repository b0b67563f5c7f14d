#include "base/threads.hpp"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/error.hpp"

namespace adapt {
namespace {

/// The size of a team that is asked for without a word about its size.
int count_team() {
  int count = 0;
#pragma omp parallel
#pragma omp master
  count = omp_get_num_threads();
  return count;
}

/// What keeps OpenMP from giving `threads`.
std::string reason(int threads) {
  if (omp_get_thread_limit() >= threads) {
    return "it does not say why";
  }
  const char* variable = std::getenv("OMP_THREAD_LIMIT");
  return variable == nullptr ? concat("its limit is ", omp_get_thread_limit())
                             : concat("environment variable OMP_THREAD_LIMIT is ", variable);
}

}  // namespace

void use_openmp_threads(int threads) {
  omp_set_dynamic(0);
  omp_set_max_active_levels(std::max(1, omp_get_max_active_levels()));
  omp_set_num_threads(threads);
}

void set_threads(int threads) {
  use_openmp_threads(threads);
  const int team = count_team();
  if (team != threads) {
    throw BadInput(concat(threads, " threads are asked for (training.threads, --threads), but OpenMP gives ",
                          team, ": ", reason(threads), "; expected at least ", threads,
                          ", or the variable unset, or ", team, " for the threads"),
                   Cause::machine);
  }
}

int openmp_threads() { return omp_get_max_threads(); }

}  // namespace adapt
