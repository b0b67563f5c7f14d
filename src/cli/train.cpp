#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>

#include "base/log.hpp"
#include "base/progress.hpp"
#include "cli/command.hpp"
#include "cli/parallel.hpp"
#include "cli/setup.hpp"
#include "mpi/together.hpp"
#include "nn/onednn.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

struct TrainArguments {
  std::string experiment;
  std::vector<std::string> overrides;
  std::string out;
  bool overwrite = false;
  bool check = false;
};

Usage train_usage() {
  Usage usage;
  usage.synopsis = "adapt train EXPERIMENT.yaml [--set KEY=VALUE]... [--out RUN_DIR]";
  usage.description =
      "Trains as EXPERIMENT.yaml says and writes RUN_DIR/run.h5 (log, provenance, last and best model), DONE "
      "last.\n"
      "Under mpirun the ranks share the work; the result does not depend on how many there are.";
  usage.examples =
      "  adapt train experiments/quickstart.yaml\n"
      "  mpirun -n 2 adapt train experiments/quickstart.yaml --set training.epochs=3 --out runs/short\n"
      "  adapt train experiments/quickstart.yaml --set precision=float32 --set engine=float32\n"
      "  adapt train experiments/quickstart.yaml --check\n"
      "  adapt train --help-keys\n";
  usage.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                              "override a key of the experiment, as in training.epochs=3 (may be repeated)")(
      "out,o", po::value<std::string>(), "folder of the run (default: runs/NAME)")(
      "overwrite", po::bool_switch(), "replace a run that RUN_DIR already holds")(
      "check", po::bool_switch(),
      "train nothing: check the experiment and print its configuration with every key; needs no data")(
      "help-keys", "print every key of an experiment with default, range and meaning");
  usage.positional.add("input", -1);
  return usage;
}

/// Nothing when help was asked for and printed.
std::optional<TrainArguments> parse_train(const std::vector<std::string>& arguments) {
  Usage usage = train_usage();
  po::variables_map values;
  if (!parse(usage, arguments, values)) {
    return std::nullopt;
  }
  if (values.count("help-keys") != 0) {
    std::cout << configuration_reference(known_names());
    return std::nullopt;
  }
  const auto inputs = given(values, "input");
  if (inputs.size() != 1) {
    throw BadInput(concat("expected one experiment file, got ", inputs.size(), "; usage: ", usage.synopsis));
  }
  TrainArguments parsed;
  parsed.experiment = inputs[0];
  parsed.overrides = given(values, "set");
  if (values.count("out") != 0) {
    parsed.out = values["out"].as<std::string>();
  }
  parsed.overwrite = values["overwrite"].as<bool>();
  parsed.check = values["check"].as<bool>();
  return parsed;
}

void refuse_occupied(const std::filesystem::path& run_dir, bool overwrite) {
  if (!overwrite && std::filesystem::exists(run_dir / "run.h5")) {
    throw BadInput(
        concat(run_dir, " already holds a run; choose another --out, or pass --overwrite to replace it"));
  }
}

std::string note_of(const TrainerProgress& progress, int epochs) {
  char text[96];
  const int length = std::snprintf(text, sizeof text, "epoch %lld/%d loss %.4f",
                                   static_cast<long long>(progress.epoch), epochs, progress.loss);
  std::string note(text, static_cast<std::size_t>(length));
  if (progress.test_accuracy > 0) {
    std::snprintf(text, sizeof text, " test %.2f %%", 100 * progress.test_accuracy);
    note += text;
  }
  return note;
}

/// Everything that bad input can stop, before any rank starts to train.
struct Prepared {
  Configuration configuration;
  std::filesystem::path run_dir;
  DataSplits data;
  std::optional<Trainer> trainer;
  std::optional<RunLog> log;  // rank 0
};

void prepare(const TrainArguments& arguments, const mpi::Communicator& ranks, Prepared& run) {
  mpi::together(ranks, [&] {
    run.configuration = load_configuration(arguments.experiment, arguments.overrides, known_names());
    run.run_dir = arguments.out.empty() ? std::filesystem::path("runs") / run.configuration.name
                                        : std::filesystem::path(arguments.out);
    refuse_occupied(run.run_dir, arguments.overwrite);
    onednn::set_threads(run.configuration.training.threads);
    run.data = open_dataset(run.configuration.data, run.configuration.seed);
    run.trainer.emplace(trainer_options(run.configuration), run.data, ranks);
  });
  mpi::together(ranks, [&] {
    if (ranks.rank() != 0) {
      return;
    }
    run.log.emplace(run.run_dir, resolved_yaml(run.configuration),
                    run_provenance(run.configuration, run.data, ranks), run.trainer->layers());
  });
}

void train_to_the_end(Prepared& run, const mpi::Communicator& ranks) {
  const TrainingOptions& training = run.configuration.training;
  const std::int64_t step_images = training.step_images();
  const std::int64_t images = training.epochs * (run.data.train->size() / step_images) * step_images;
  Progress bar(run.configuration.name, images, "images");
  TrainerProgress last;
  run.trainer->run(run.log ? &*run.log : nullptr, [&](const TrainerProgress& progress) {
    last = progress;
    bar.update(progress.step * step_images, note_of(progress, training.epochs));
  });
  if (ranks.rank() == 0) {
    run.log->finish();
  }
  last.test_accuracy = run.trainer->test_accuracy();
  bar.finish(note_of(last, training.epochs));
}

}  // namespace

ExitCode train(const std::vector<std::string>& arguments) {
  const auto parsed = parse_train(arguments);
  if (!parsed) {
    return ExitCode::done;
  }
  if (parsed->check) {
    const Configuration configuration =
        load_configuration(parsed->experiment, parsed->overrides, known_names());
    std::cout << "# identity: " << run_identity(configuration) << "\n" << resolved_yaml(configuration);
    return ExitCode::done;
  }
  return run_parallel([&](const mpi::Communicator& ranks) {
    Prepared run;
    prepare(*parsed, ranks, run);
    train_to_the_end(run, ranks);
    log_info(concat("wrote ", (run.run_dir / "run.h5").string()));
    return ExitCode::done;
  });
}

}  // namespace adapt::cli
