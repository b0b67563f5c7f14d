#include "cli/train_arguments.hpp"

#include <boost/program_options.hpp>

#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/tuning.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

Usage train_usage() {
  Usage usage;
  usage.synopsis = "adapt train EXPERIMENT.yaml [--set KEY=VALUE]... [--out RUN_DIR] [--resume]";
  usage.description =
      "Trains as EXPERIMENT.yaml says and writes RUN_DIR/run.h5 (log, provenance, last and best model), DONE "
      "last.\n"
      "Under mpirun the ranks share the work; the result does not depend on how many there are.\n"
      "SIGTERM or SIGUSR1 stops a run at a checkpoint: exit code 75. --resume goes on from the last one.";
  usage.examples =
      "  adapt train experiments/quickstart.yaml\n"
      "  mpirun -n 2 adapt train experiments/quickstart.yaml --set training.epochs=3 --out runs/short\n"
      "  adapt train experiments/quickstart.yaml --set precision=float32 --set engine=float32\n"
      "  adapt train experiments/quickstart.yaml --resume\n"
      "  adapt train experiments/quickstart.yaml --check\n"
      "  adapt train --help-keys\n";
  usage.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                              "override a key of the experiment, as in training.epochs=3 (may be repeated)")(
      "out,o", po::value<std::string>(), "folder of the run (default: runs/NAME)")(
      "overwrite", po::bool_switch(), "replace a run that RUN_DIR already holds")(
      "resume", po::bool_switch(),
      "go on from the last checkpoint in RUN_DIR, on any number of ranks; from the beginning where there is "
      "none yet")("claim", po::value<std::string>()->default_value(""),
                  "train under the claim with this token, as adapt sweep tells its trainings")(
      "report", po::value<std::string>()->default_value(""),
      "note in this file that the training began, and why it failed; adapt sweep reads it")(
      "frozen", po::value<std::string>()->default_value(""),
      "refuse other data than those that this file names, as adapt sweep --submit wrote it")(
      "check", po::bool_switch(),
      "train nothing: check the experiment and print its configuration with every key; needs no data")(
      "help-keys", "print every key of an experiment with default, range and meaning");
  usage.options.add_options()(
      "until-epoch", po::value<std::int64_t>()->default_value(0),
      "stop at a checkpoint behind this epoch for now, with exit code 75; --resume goes on (0: do not)");
  add_tuning_option(usage);
  usage.positional.add("input", -1);
  return usage;
}

}  // namespace

std::optional<TrainArguments> parse_train(const std::vector<std::string>& arguments) {
  Usage usage = train_usage();
  po::variables_map values;
  if (!parse(usage, arguments, values)) {
    return std::nullopt;
  }
  if (values.count("help-keys") != 0) {
    print_text(configuration_reference(known_names()));
    return std::nullopt;
  }
  TrainArguments parsed;
  parsed.experiment = one_input(values, usage, "experiment file");
  parsed.overrides = given(values, "set");
  if (values.count("out") != 0) {
    parsed.out = values["out"].as<std::string>();
  }
  parsed.claim = values["claim"].as<std::string>();
  parsed.report = values["report"].as<std::string>();
  parsed.frozen = values["frozen"].as<std::string>();
  parsed.until = values["until-epoch"].as<std::int64_t>();
  parsed.overwrite = values["overwrite"].as<bool>();
  parsed.resume = values["resume"].as<bool>();
  if (parsed.overwrite && parsed.resume) {
    throw BadInput("--overwrite and --resume exclude each other; expected one of them");
  }
  parsed.check = values["check"].as<bool>();
  parsed.tune = wants_tuning(values);
  return parsed;
}

mpi::Facts task_of(const TrainArguments& arguments) {
  const auto said = [](bool flag) { return flag ? "given" : "not given"; };
  return {{"the subcommand", "train"},
          {"--out", arguments.out.empty() ? "not given" : arguments.out},
          {"--until-epoch", std::to_string(arguments.until)},
          {"--overwrite", said(arguments.overwrite)},
          {"--resume", said(arguments.resume)}};
}

}  // namespace adapt::cli
