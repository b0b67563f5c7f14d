#include "base/phase.hpp"
#include "base/suggest.hpp"
#include "base/terminal.hpp"
#include "bench/benchmark.hpp"
#include "cli/bench_commands.hpp"
#include "cli/command.hpp"
#include "cli/parallel.hpp"
#include "cli/tuning.hpp"
#include "mpi/together.hpp"
#include "mpi/watchdog.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

constexpr const char* kSynopsis = "adapt bench BENCHMARK [options] [--json]";

void print_benchmarks() {
  std::string text =
      concat("usage: ", kSynopsis, "\n\nMeasures this machine; alone or under mpirun.\n\nBenchmarks:\n");
  for (const BenchCommand& entry : bench_commands()) {
    text +=
        concat("  ", entry.name, std::string(12 - std::string(entry.name).size(), ' '), entry.summary, "\n");
  }
  print_text(text + "\n`adapt bench BENCHMARK --help` tells more.\n");
}

const BenchCommand& find_benchmark(const std::string& name) {
  std::vector<std::string> known;
  for (const BenchCommand& entry : bench_commands()) {
    if (entry.name == name) {
      return entry;
    }
    known.emplace_back(entry.name);
  }
  throw BadInput(concat("unknown benchmark '", name, "'", name_hint(name, known)));
}

Usage usage_of(const BenchCommand& entry) {
  Usage usage;
  usage.synopsis = concat("adapt bench ", entry.name, " [options]");
  usage.description =
      concat("Times ", entry.summary,
             ".\nRates are medians over the repetitions; a repetition ends when the slowest rank "
             "is done.");
  usage.examples = concat("  adapt bench ", entry.name, "\n  mpirun -n 2 --bind-to core adapt bench ",
                          entry.name, " --json\n");
  for (const BenchOption& option : entry.options) {
    usage.options.add_options()(option.name.c_str(), po::value<std::string>()->default_value(option.standard),
                                option.meaning.c_str());
  }
  usage.options.add_options()("json", po::bool_switch(), "print JSON");
  add_tuning_option(usage);
  usage.positional.add("input", -1);
  return usage;
}

/// What the ranks must have been told alike.
mpi::Facts task_of(const BenchCommand& entry, const po::variables_map& values) {
  mpi::Facts facts = {{"the subcommand", concat("bench ", entry.name)}};
  for (const BenchOption& option : entry.options) {
    facts.emplace_back("--" + option.name, values[option.name].as<std::string>());
  }
  return facts;
}

ExitCode run_benchmark(const BenchCommand& entry, const po::variables_map& values) {
  const bool json = values["json"].as<bool>();
  const bool tune = wants_tuning(values);
  return run_parallel(task_of(entry, values), [&](const mpi::Communicator& ranks) {
    std::unique_ptr<Benchmark> benchmark;
    mpi::together(ranks, [&] {
      begin_tuning(tune, ranks);
      for (const BenchOption& option : entry.options) {
        option.read(values[option.name].as<std::string>());
      }
      // A repetition is a single piece of work, and may turn out longer than it should be.
      constexpr double kSlack = 4;
      mpi::set_timeout(mpi::Options().timeout_s + kSlack * entry.timing->seconds);
      phase::begin("build");
      benchmark = entry.make(ranks);
    });
    phase::begin("measure");
    const BenchReport report = benchmark->run();
    end_tuning(ranks);
    if (ranks.rank() == 0) {
      print_text(json ? bench_json(report) : bench_table(report));
    }
    return ExitCode::done;
  });
}

}  // namespace

ExitCode bench(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    throw BadInput(concat("expected the name of a benchmark; usage: ", kSynopsis));
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    print_benchmarks();
    return ExitCode::done;
  }
  const BenchCommand& entry = find_benchmark(arguments[0]);
  Usage usage = usage_of(entry);
  po::variables_map values;
  if (!parse(usage, {arguments.begin() + 1, arguments.end()}, values)) {
    return ExitCode::done;
  }
  const auto inputs = given(values, "input");
  if (!inputs.empty()) {
    throw BadInput(concat("unexpected argument '", inputs[0], "'; usage: ", usage.synopsis));
  }
  return run_benchmark(entry, values);
}

}  // namespace adapt::cli
