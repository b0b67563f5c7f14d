#pragma once

#include <string>
#include <vector>

#include "experiment/grid.hpp"
#include "experiment/index.hpp"

namespace adapt::cli {

/// The runs of a grid, or of the whole store where there is none, as the index knows them; runs that are not
/// in the store yet are planned. `labels[i]` says what tells run i from the others.
struct RunTable {
  std::vector<IndexEntry> runs;
  std::vector<std::string> labels;
};

/// Those of the runs that fit all conditions (see filter_index).
RunTable run_table(const RunStore& store, const Grid* grid, const std::vector<std::string>& conditions);

/// One line per run: identity, state, test accuracy, epochs, seconds, label; failures with their message.
/// Then how many there are in each state.
void print(const RunTable& table);

/// "6 runs: 5 done, 1 failed".
std::string count_states(const std::vector<IndexEntry>& runs);

}  // namespace adapt::cli
