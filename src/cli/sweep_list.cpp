#include "cli/sweep_list.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

#include "base/terminal.hpp"
#include "cli/command.hpp"

namespace adapt::cli {
namespace {

/// A number that may be missing, in so many characters.
std::string cell(double value, int width, int decimals) {
  std::array<char, 32> text{};
  if (std::isnan(value)) {
    std::snprintf(text.data(), text.size(), "%*s", width, "-");
  } else {
    std::snprintf(text.data(), text.size(), "%*.*f", width, decimals, value);
  }
  return text.data();
}

/// "3/20", right-aligned.
std::string epochs_cell(const IndexEntry& run) {
  constexpr std::size_t kWidth = 9;
  const double epochs = run.metric("epochs");
  const std::string text = concat(std::isnan(epochs) ? 0 : epochs, "/", run.value_of("training.epochs"));
  return std::string(text.size() < kWidth ? kWidth - text.size() : 0, ' ') + text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

/// The index's entry of a run, or what is known of it without.
IndexEntry entry_of(const GridRun& run, const std::map<std::string, const IndexEntry*>& known) {
  const auto found = known.find(run.identity);
  IndexEntry entry = found == known.end() ? IndexEntry() : *found->second;
  if (entry.configuration.empty()) {
    entry.identity = run.identity;
    entry.configuration = json_values(run.configuration);
  }
  entry.name = run.configuration.name;
  return entry;
}

}  // namespace

RunTable run_table(const RunStore& store, const Grid* grid, const std::vector<std::string>& conditions) {
  const std::vector<IndexEntry> index = read_index(store, known_names());
  std::map<std::string, std::string> labels;
  std::vector<IndexEntry> runs;
  if (grid != nullptr) {
    std::map<std::string, const IndexEntry*> known;
    for (const IndexEntry& entry : index) {
      known.emplace(entry.identity, &entry);
    }
    for (const GridRun& run : grid->runs) {
      labels.emplace(run.identity, run.label);
      runs.push_back(entry_of(run, known));
    }
  }
  RunTable table{filter_index(grid != nullptr ? runs : index, conditions), {}};
  for (const IndexEntry& entry : table.runs) {
    const auto label = labels.find(entry.identity);
    table.labels.push_back(label == labels.end() ? entry.name : label->second);
  }
  return table;
}

void print(const RunTable& table) {
  print_line("identity          state      accuracy    epochs   seconds  run");
  for (std::size_t i = 0; i < table.runs.size(); ++i) {
    const IndexEntry& run = table.runs[i];
    print_line(concat(run.identity, "  ", padded(state_name(run.state), 9),
                      cell(run.metric("test_accuracy"), 10, 4), " ", epochs_cell(run),
                      cell(run.metric("seconds"), 10, 1), "  ", table.labels[i],
                      run.message.empty() ? "" : ": " + run.message));
  }
  print_line(count_states(table.runs));
}

std::string count_states(const std::vector<IndexEntry>& runs) {
  std::map<RunState, int> counts;
  for (const IndexEntry& run : runs) {
    ++counts[run.state];
  }
  std::string text = concat(runs.size(), runs.size() == 1 ? " run" : " runs");
  const char* separator = ": ";
  for (const auto& [state, count] : counts) {
    text += concat(separator, count, " ", state_name(state));
    separator = ", ";
  }
  return text;
}

}  // namespace adapt::cli
