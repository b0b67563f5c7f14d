#include <iostream>
#include <optional>

#include "base/stopwatch.hpp"
#include "cli/command.hpp"
#include "cli/parallel.hpp"
#include "cli/setup.hpp"
#include "mpi/together.hpp"
#include "nn/onednn.hpp"
#include "record/run_file.hpp"
#include "train/evaluation.hpp"
#include "train/model_file.hpp"
#include "train/step.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

Usage evaluate_usage() {
  Usage usage;
  usage.synopsis = "adapt evaluate RUN_DIR [--set KEY=VALUE]...";
  usage.description =
      "Runs the model that RUN_DIR holds over its test set and prints loss and accuracy.\n"
      "Activations are quantized as at the end of training, rounded to nearest.";
  usage.examples =
      "  adapt evaluate runs/quickstart\n"
      "  adapt evaluate runs/quickstart --set data.path=/somewhere/else\n";
  usage.options.add_options()("set", po::value<std::vector<std::string>>()->composing(),
                              "override a key of the run's configuration (may be repeated)");
  usage.positional.add("input", -1);
  return usage;
}

/// A stored model, ready to run on its test set.
struct Loaded {
  DataSplits data;
  PrecisionPlan plan;
  std::optional<Network> network;
};

void load(const std::string& run_dir, const std::vector<std::string>& overrides, Loaded& loaded) {
  const RunFile file(run_dir);
  const Configuration configuration =
      parse_configuration(file.configuration(), run_dir + "/run.h5:/config", overrides, known_names());
  onednn::set_threads(configuration.training.threads);
  loaded.data = open_dataset(configuration.data, configuration.seed);
  const TrainerOptions options = trainer_options(configuration);
  const Graph graph = make_graph(options, loaded.data, configuration.training.test_batch);
  const auto state = initialize(graph, configuration.model.init_scale, configuration.seed);
  const auto tensors = file.model();
  if (tensors.empty()) {
    throw BadInput(concat(run_dir, " holds no model: the run ended before its first epoch did"));
  }
  loaded.plan = load_model(tensors, *state, graph.layers.size());
  loaded.network.emplace(graph, state, /*training=*/false);
}

}  // namespace

ExitCode evaluate(const std::vector<std::string>& arguments) {
  Usage usage = evaluate_usage();
  po::variables_map values;
  if (!parse(usage, arguments, values)) {
    return ExitCode::done;
  }
  const auto inputs = given(values, "input");
  if (inputs.size() != 1) {
    throw BadInput(concat("expected one run folder, got ", inputs.size(), "; usage: ", usage.synopsis));
  }
  const auto overrides = given(values, "set");
  return run_parallel([&](const mpi::Communicator& ranks) {
    Loaded loaded;
    mpi::together(ranks, [&] { load(inputs[0], overrides, loaded); });
    const Stopwatch watch;
    const MetricSum result =
        adapt::evaluate(*loaded.network, *loaded.data.test, loaded.data.normalization, &loaded.plan, ranks);
    const double seconds = watch.seconds();
    if (ranks.rank() == 0) {
      std::cout << "test images      " << result.images() << "\ntest loss        " << result.mean_loss()
                << "\ntest accuracy    " << result.accuracy() << "\nimages/s         "
                << static_cast<double>(result.images()) / seconds << " (measured)\n";
    }
    return ExitCode::done;
  });
}

}  // namespace adapt::cli
