#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "base/shell.hpp"
#include "base/suggest.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/shared_files.hpp"
#include "cli/sweep_demand.hpp"
#include "cli/sweep_list.hpp"
#include "cli/sweep_modes.hpp"
#include "data/source_file.hpp"
#include "experiment/reason.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

ExitCode list(const SweepArguments& arguments) {
  const RunTable table =
      run_table(arguments.store, arguments.grid ? &*arguments.grid : nullptr, arguments.where);
  if (arguments.json) {
    print_text(to_json(table.runs));
  } else {
    print(table);
  }
  return ExitCode::done;
}

/// A way to use the command: the option that picks it, and what it does.
struct Mode {
  const char* option;
  const char* help;
  bool needs_grid;
  ExitCode (*run)(const SweepArguments& arguments);
};

constexpr std::array kModes = {
    Mode{"list", "print every run of the grid (without a grid: of the store) and its state", false, list},
    Mode{"dry-run",
         "print what --run and --submit would do, the batch script, and estimates of core-hours and memory",
         true, dry_run},
    Mode{"run", "train here what is neither done nor failed; stopped runs are resumed", true, run_here},
    Mode{"submit", "hand the same to Slurm, as one job array", true, submit_runs},
    Mode{"clean", "remove the copies of programs (STORE/programs) that no submitted run needs any more",
         false, clean},
    Mode{"status", "--list, and what Slurm says of the submitted jobs", false, print_status},
};

constexpr double kLargestScale = 1000;

/// The mode that another option stands for by itself.
const Mode* mode_meant_by(const char* option) {
  const std::string name = option;
  return std::ranges::find_if(kModes, [&](const Mode& mode) { return mode.option == name; });
}

Usage sweep_usage() {
  Usage usage;
  usage.synopsis =
      "adapt sweep [GRID.yaml] --list|--dry-run|--run|--submit|--status|--clean [--store DIR] [options]";
  usage.description =
      "Grids of experiments. GRID.yaml is an experiment file with `grid:` (keys and lists of values; every "
      "combination\n"
      "is a run), `zip:` (lists that move together), `exclude:`, `seeds:`, `slurm:`. A run is known by the "
      "hash of "
      "its\n"
      "whole configuration: what the store holds as done is never run again, whichever grid it came from.\n"
      "Ctrl-C, SIGTERM and SIGUSR1 stop the runs at a checkpoint: exit code 75, and --run goes on with them. "
      "Several\n"
      "sweeps may work on one store.";
  usage.examples =
      "  adapt sweep experiments/ablations/epsilon.yaml --list\n"
      "  adapt sweep experiments/ablations/epsilon.yaml --run --ranks 2\n"
      "  adapt sweep experiments/ablations/epsilon.yaml --submit --throttle 8\n"
      "  adapt sweep --store store --list --where model=resnet20 --where state=done\n";
  auto options = usage.options.add_options();
  for (const Mode& mode : kModes) {
    options(mode.option, po::bool_switch(), mode.help);
  }
  options("store", po::value<std::string>()->default_value("store"), "folder of all runs")(
      "where", po::value<std::vector<std::string>>()->composing(),
      "only runs with this value: key=value or key!=value; a key of the configuration, a metric, state (may "
      "be "
      "repeated)")("set", po::value<std::vector<std::string>>()->composing(),
                   "override a key in every run of the grid, as in training.epochs=3 (may be repeated)")(
      "json", po::bool_switch(),
      "--list, --status: as JSON; --list with every key and metric, like STORE/index.json")(
      "watch", po::bool_switch(),
      "--status (also when it stands alone) again and again, until all runs are done or failed")(
      "retry", po::value<std::string>(),
      "failed: tries failed runs again; oom, timeout, node, nan, input, bug, unknown: only those that ended "
      "so; pruned: those, to their end; "
      "goes "
      "with --run (also when it stands alone), --submit and --dry-run")(
      "scale-memory", po::value<double>(),
      "--retry oom --submit: ask Slurm for so many times the memory that the runs had")(
      "jobs,J", po::value<int>()->default_value(1), "--run: runs at a time")(
      "ranks,n", po::value<int>()->default_value(1), "--run: MPI ranks of each run")(
      "launch", po::value<std::string>(),
      "--run: what starts a training, in place of mpirun, such as \"mpirun -n 4 --map-by numa\"")(
      "site", po::value<std::string>(), "settings of the Slurm site (default: slurm/site.yaml)")(
      "throttle", po::value<int>(), "--submit: most tasks of the job array at a time")(
      "submission", po::value<std::string>(), "with --task: name of what was submitted")(
      "task", po::value<int>(), "train one task of a submission; the batch script calls this");
  usage.positional.add("input", -1);
  return usage;
}

int at_least_one(const po::variables_map& values, const char* option) {
  const int number = values[option].as<int>();
  if (number < 1) {
    throw BadInput(concat("--", option, " ", number, ": expected a number from 1"));
  }
  return number;
}

/// The mode, or null for --task.
const Mode* mode_of(const po::variables_map& values, const Usage& usage) {
  const Mode* chosen = nullptr;
  for (const Mode& mode : kModes) {
    if (!values[mode.option].as<bool>()) {
      continue;
    }
    if (chosen != nullptr) {
      throw BadInput(
          concat("--", chosen->option, " and --", mode.option, " exclude each other; expected one"));
    }
    chosen = &mode;
  }
  if (chosen == nullptr && values.count("retry") != 0) {
    return mode_meant_by("run");
  }
  if (chosen == nullptr && values["watch"].as<bool>()) {
    return mode_meant_by("status");
  }
  if ((chosen == nullptr) != (values.count("task") != 0)) {
    throw BadInput("expected what to do; usage: " + usage.synopsis);
  }
  return chosen;
}

SlurmOptions site_options(const po::variables_map& values) {
  SlurmOptions options;
  const std::string path =
      values.count("site") != 0 ? values["site"].as<std::string>() : shared_path("slurm/site.yaml");
  if (!path.empty()) {
    read_site_file(path, options);
  }
  return options;
}

/// Data are where they are from here, whatever folder and ADAPT_DATA a training has that is started
/// elsewhere.
void fix_data_paths(Grid& grid) {
  for (GridRun& run : grid.runs) {
    const DataFolder found = data_folder(run.configuration.data.path);
    const std::string path = std::filesystem::absolute(found.path).lexically_normal().string();
    if (has_control_character(path)) {
      throw BadInput(concat(found.source, ": expected a path without control characters"));
    }
    run.configuration.data.path = path;
  }
}

/// The store's folder goes into batch scripts and tables, where a line end or an escape would be obeyed.
RunStore store_of(const po::variables_map& values) {
  const std::string& path = values["store"].as<std::string>();
  if (path.empty()) {
    throw BadInput("--store: expected a path");
  }
  if (const std::string whole = std::filesystem::absolute(path).string(); has_control_character(whole)) {
    throw BadInput(concat("--store ", whole, ": a control character; expected a path without"));
  }
  return RunStore(path);
}

/// Without a grid there is nothing but the store; with one it is made when something is written.
void check_store(const SweepArguments& arguments) {
  const std::filesystem::path& path = arguments.store.path();
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored);
  if (exists ? !std::filesystem::is_directory(path, ignored) : !arguments.grid) {
    throw BadInput(concat("--store ", path, exists ? " is not a folder" : " does not exist",
                          "; expected the folder of a sweep's runs", exists ? "" : ", or a grid file"));
  }
}

void read_grid(const po::variables_map& values, const Usage& usage, SweepArguments& arguments) {
  const auto inputs = given(values, "input");
  if (inputs.size() > 1) {
    throw BadInput(concat("expected one grid file, got ", inputs.size(), "; usage: ", usage.synopsis));
  }
  if (inputs.empty()) {
    return;
  }
  arguments.grid = load_grid(inputs[0], given(values, "set"), known_names(), site_options(values));
  fix_data_paths(*arguments.grid);
  if (values.count("throttle") != 0) {
    arguments.grid->slurm.throttle = at_least_one(values, "throttle");
  }
}

/// What is tried again: "failed", the name of a reason, or "" for nothing.
std::string told_retry(const po::variables_map& values) {
  const std::string what = values.count("retry") != 0 ? values["retry"].as<std::string>() : "";
  std::vector<std::string> known = {kRetryFailed, kRetryPruned};
  std::ranges::copy(names_of<Reason>(), std::back_inserter(known));
  if (values.count("retry") != 0 && std::ranges::find(known, what) == known.end()) {
    throw BadInput(concat("--retry ", what, ": expected ", join_names(known)));
  }
  return what;
}

/// --scale-memory, for what ran out of it.
void scale_retried(const po::variables_map& values, const Mode& mode, SweepArguments& arguments) {
  if (values.count("scale-memory") == 0) {
    return;
  }
  const double factor = values["scale-memory"].as<double>();
  const bool asks_slurm = mode.run == submit_runs || mode.run == dry_run;
  if (arguments.retry != name_of(Reason::oom) || !asks_slurm || !(factor > 0 && factor <= kLargestScale)) {
    throw BadInput(concat("--scale-memory ", factor, ": expected a factor from 0 to ", kLargestScale,
                          ", with --retry oom and --submit"));
  }
  scale_memory(arguments, factor);
}

std::string text_of(const po::variables_map& values, const char* option) {
  return values.count(option) != 0 ? values[option].as<std::string>() : "";
}

}  // namespace

ExitCode sweep(const std::vector<std::string>& arguments) {
  Usage usage = sweep_usage();
  po::variables_map values;
  if (!parse(usage, arguments, values)) {
    return ExitCode::done;
  }
  SweepArguments asked;
  asked.store = store_of(values);
  asked.where = given(values, "where");
  asked.retry = told_retry(values);
  asked.watch = values["watch"].as<bool>();
  asked.json = values["json"].as<bool>();
  asked.jobs = at_least_one(values, "jobs");
  asked.ranks = at_least_one(values, "ranks");
  asked.launch = text_of(values, "launch");
  asked.submission = text_of(values, "submission");
  const Mode* mode = mode_of(values, usage);
  read_grid(values, usage, asked);
  if (asked.grid && asked.retry == kRetryPruned) {
    asked.grid->prune.reset();
  }
  if (mode == nullptr) {
    asked.task = values["task"].as<int>();
    return run_task(asked);
  }
  if (mode->needs_grid && !asked.grid) {
    throw BadInput(concat("--", mode->option, " needs a grid file; usage: ", usage.synopsis));
  }
  check_store(asked);
  scale_retried(values, *mode, asked);
  return mode->run(asked);
}

}  // namespace adapt::cli
