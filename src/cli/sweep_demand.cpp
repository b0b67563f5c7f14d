#include "cli/sweep_demand.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "cli/command.hpp"
#include "cli/memory_check.hpp"
#include "cli/setup.hpp"
#include "experiment/estimate.hpp"
#include "experiment/slurm_queue.hpp"
#include "train/step.hpp"

namespace adapt::cli {
namespace {

constexpr double kSecondsOfAnHour = 3600;
/// Multiply-adds of a training that a core does in a second, where no run tells: about what float32 does on
/// small networks. A model, no measurement.
constexpr double kModelledRate = 2e10;
/// Of planned runs with those of the store: some seconds' worth.
constexpr std::size_t kMostComparisons = 2'000'000;
/// Forward, gradient of the input, gradient of the weights.
constexpr double kPasses = 3;

std::string short_number(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

std::string counted_runs(int count) { return concat(count, count == 1 ? " run" : " runs"); }

IndexEntry planned_entry(const GridRun& run) {
  IndexEntry entry;
  entry.configuration = json_values(run.configuration);
  return entry;
}

double modelled_core_hours(const Configuration& configuration) {
  const DataDescription data = describe_dataset(configuration.data);
  const Graph graph = make_graph(trainer_options(configuration), data.shape, data.classes, 1);
  double madds = 0;
  for (const QuantizedLayer& layer : graph.layers) {
    madds += static_cast<double>(layer.madds);
  }
  return kPasses * madds * static_cast<double>(data.images) * configuration.training.epochs / kModelledRate /
         kSecondsOfAnHour;
}

/// Core-hours, from what is known and from the model.
void add_hours(const SweepArguments& arguments, const std::vector<GridRun>& runs,
               std::vector<std::string>& lines) {
  std::vector<IndexEntry> all = read_index(arguments.store, known_names());
  if (runs.size() * all.size() > kMostComparisons) {
    all.clear();  // for minutes nothing would be said
  }
  double known = 0;
  double modelled = 0;
  int unknown = 0;
  for (const GridRun& run : runs) {
    const Estimate found = estimate({planned_entry(run)}, all);
    known += found.core_hours;
    unknown += found.unknown;
    modelled += found.unknown > 0 ? modelled_core_hours(run.configuration) : 0;
  }
  const int alike = static_cast<int>(runs.size()) - unknown;
  if (alike > 0) {
    lines.push_back(concat("estimate: ", short_number(known), " core-hours for ", counted_runs(alike),
                           ", from finished runs of the store"));
  }
  if (unknown > 0) {
    lines.push_back(concat("estimate: none for ", counted_runs(unknown),
                           ": the store holds no finished run of the same model and data; modelled, at ",
                           short_number(kModelledRate),
                           " multiply-adds a second on a core: ", short_number(modelled), " core-hours"));
  }
}

MemoryEstimate node_demand(const SlurmOptions& slurm, const Configuration& configuration) {
  return estimate_of_node(configuration, slurm.nodes * slurm.ranks_per_node,
                          {slurm.ranks_per_node, /*first=*/true});
}

/// Bytes that "16G" means to Slurm; 0: all of a node, or nothing that we know.
std::int64_t bytes_of(const std::string& memory) {
  constexpr std::array kUnits = {'K', 'M', 'G', 'T'};
  constexpr std::int64_t kStep = 1024;
  char* end = nullptr;
  const long long number = std::strtoll(memory.c_str(), &end, 10);
  const char unit = *end == '\0' ? 'M' : static_cast<char>(std::toupper(*end));
  const auto* const found = std::ranges::find(kUnits, unit);
  if (number <= 0 || found == kUnits.end()) {
    return 0;
  }
  std::int64_t bytes = number;
  for (const auto* step = kUnits.begin(); step <= found && bytes < (std::int64_t{1} << 50U); ++step) {
    bytes *= kStep;
  }
  return bytes;
}

}  // namespace

std::vector<std::string> estimate_lines(const SweepArguments& arguments, const std::vector<GridRun>& runs) {
  std::vector<std::string> lines;
  add_hours(arguments, runs, lines);
  MemoryEstimate largest;
  std::string label;
  for (const GridRun& run : runs) {
    MemoryEstimate estimate = estimate_of(run.configuration);
    if (total(estimate) > total(largest)) {
      largest = std::move(estimate);
      label = run.label;
    }
  }
  lines.push_back(concat("memory: up to ", bytes_text(total(largest)), " for a rank (", parts_text(largest),
                         "), estimated: ", label));
  return lines;
}

void check_fits(const Grid& grid, const std::vector<GridRun>& runs) {
  const SlurmOptions& slurm = grid.slurm;
  const std::int64_t asked = bytes_of(slurm.memory);
  const std::int64_t most = asked > 0 ? asked : largest_node_memory(slurm);
  if (most == 0) {
    return;
  }
  const int packed = std::max(slurm.pack, 1);
  for (const GridRun& run : runs) {
    const MemoryEstimate demand = node_demand(slurm, run.configuration);
    if (packed * total(demand) > most) {
      throw BadInput(concat(
          "the run ", run.label, " needs about ", bytes_text(total(demand)), " of memory on a node (",
          parts_text(demand), ")", packed > 1 ? concat(", ", packed, " of them side by side") : "", ", and ",
          asked > 0 ? concat("slurm.memory is ", slurm.memory)
                    : concat("the largest node has ", bytes_text(most)),
          "; expected more memory, fewer runs or ranks on a node, or a smaller training.batch: nothing is "
          "submitted"));
    }
  }
}

void scale_memory(SweepArguments& arguments, double factor) {
  constexpr std::int64_t kMegabyte = std::int64_t{1} << 20U;
  SlurmOptions& slurm = arguments.grid->slurm;
  std::int64_t had = 0;
  for (const GridRun& run : runs_to_do(arguments)) {
    const auto failure = arguments.store.failure(run.identity);
    had = std::max(had, failure ? failure->memory_mb : 0);
  }
  had = had > 0 ? had : bytes_of(slurm.memory) / kMegabyte;
  if (had == 0) {
    throw BadInput(
        "--scale-memory: Slurm did not say how much memory the failed runs had; expected slurm.memory "
        "in the grid or the site's file");
  }
  slurm.memory = concat(static_cast<std::int64_t>(std::ceil(static_cast<double>(had) * factor)), "M");
}

}  // namespace adapt::cli
