#include <memory>
#include <optional>
#include <sstream>

#include "base/phase.hpp"
#include "base/sha256.hpp"
#include "base/stopwatch.hpp"
#include "base/terminal.hpp"
#include "base/threads.hpp"
#include "cli/command.hpp"
#include "cli/machines.hpp"
#include "cli/memory_check.hpp"
#include "cli/node_data.hpp"
#include "cli/output_file.hpp"
#include "cli/parallel.hpp"
#include "cli/predictions.hpp"
#include "cli/setup.hpp"
#include "cli/stored_model.hpp"
#include "cli/tuning.hpp"
#include "mpi/together.hpp"
#include "mpi/watchdog.hpp"
#include "nn/models.hpp"
#include "record/run_file.hpp"
#include "train/engine.hpp"
#include "train/evaluation.hpp"
#include "train/inference.hpp"
#include "train/step.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

Usage evaluate_usage() {
  Usage usage;
  usage.synopsis =
      "adapt evaluate RUN_DIR [--model last|best] [--engine NAME [--predictions FILE]] [--set KEY=VALUE]...";
  usage.description =
      "Runs a model that RUN_DIR holds over its test set and prints loss and accuracy. Without\n"
      "--engine, and with emulated, activations are quantized as in training when the model was\n"
      "kept, rounded to nearest. The others run it as a deployed model: batch norm is\n"
      "folded into weights or scales; integer keeps activations in bytes where formats fit 8 bits.";
  usage.examples =
      "  adapt evaluate runs/quickstart\n"
      "  adapt evaluate runs/quickstart --model best\n"
      "  adapt evaluate runs/quickstart --engine integer\n"
      "  adapt evaluate runs/quickstart --engine integer --predictions said.npz\n"
      "  adapt evaluate runs/quickstart --set data.path=/somewhere/else\n";
  usage.options.add_options()("model", po::value<std::string>()->default_value("last"),
                              "which model: last (as training left it), or best (on the test set)")(
      "engine", po::value<std::string>(),
      "emulated, float32, bfloat16 or integer; else as the run evaluated")(
      "predictions", po::value<std::string>(),
      "write images, labels and logits to this .npz file; with --engine, on one rank")(
      "set", po::value<std::vector<std::string>>()->composing(),
      "override a key of the run's configuration (may be repeated)");
  add_tuning_option(usage);
  usage.positional.add("input", -1);
  return usage;
}

/// A stored model, ready to run on its test set: with one of the engines for inference, or as in training.
struct Loaded {
  Configuration configuration;
  std::vector<ModelTensor> model;
  DataSplits data;
  PrecisionPlan plan;
  std::unique_ptr<RecordingClassifier> classifier;
  std::optional<Network> network;
  std::size_t layers = 0;
};

/// What the command line asks for.
struct EvaluateArguments {
  std::string run_dir;
  std::string model;
  std::optional<Engine> engine;
  std::string predictions;
  std::vector<std::string> overrides;
};

/// What run.h5 holds.
void read(const EvaluateArguments& arguments, Loaded& loaded) {
  phase::begin("read");
  for (const std::string& assignment : arguments.overrides) {
    if (assignment.starts_with("model=") ||
        (assignment.starts_with("model.") && !assignment.starts_with("model.init"))) {
      throw BadInput(concat("--set ", printable_line(assignment),
                            ": the network is that of the run; expected another key"));
    }
  }
  const RunFile file(arguments.run_dir);
  loaded.configuration = parse_configuration(file.configuration(), arguments.run_dir + "/run.h5:/config",
                                             arguments.overrides, known_names());
  loaded.configuration.model.graph = file.graph();
  mpi::set_timeout(loaded.configuration.mpi.timeout_s);
  loaded.model = chosen_model(file, arguments.run_dir, arguments.model);
}

/// SHA-256 of the numbers of a model.
std::string checksum(const std::vector<ModelTensor>& model) {
  Sha256 hash;
  for (const ModelTensor& tensor : model) {
    hash.update(std::as_bytes(std::span(tensor.integers)));
    hash.update(std::as_bytes(std::span(tensor.numbers)));
  }
  return hash.finish();
}

/// Whether there is memory for data and network.
void check_place(const EvaluateArguments& arguments, const NodeRanks& node, Loaded& loaded) {
  const Configuration& configuration = loaded.configuration;
  set_threads(configuration.training.threads);
  check_evaluation_memory(arguments.run_dir, configuration, node);
  phase::begin("load");
}

/// The network, for the data.
void build(const EvaluateArguments& arguments, Loaded& loaded) {
  phase::begin("build");
  const Configuration& configuration = loaded.configuration;
  const TrainerOptions options = trainer_options(configuration);
  const Graph graph = make_graph(options, loaded.data, configuration.training.test_images());
  const auto state = initialize(graph, configuration.model.init_scale, configuration.seed);
  loaded.plan = load_stored_model(arguments.run_dir, loaded.model, *state, graph.layers.size());
  loaded.layers = graph.layers.size();
  if (!arguments.engine) {
    loaded.network.emplace(make_network(options, graph, state, /*training=*/false));
    return;
  }
  Shape image = graph.image;
  image.n = 1;
  const ModelDescription model = make_model(options.model, loaded.data.train->classes());
  loaded.classifier = std::make_unique<RecordingClassifier>(make_classifier(
      *arguments.engine, {model, image, state, loaded.plan}, configuration.training.test_images()));
}

/// All that bad input can stop (collective).
void prepare(const EvaluateArguments& arguments, const mpi::Communicator& ranks, Loaded& loaded) {
  mpi::together(ranks, [&] { read(arguments, loaded); });
  mpi::Facts facts = configuration_facts(loaded.configuration);
  facts.emplace_back("the SHA-256 of the model", checksum(loaded.model));
  mpi::agree(ranks, facts, "the same run on every rank");
  const NodeRanks node = ranks_of_node(ranks);
  mpi::together(ranks, [&] { check_place(arguments, node, loaded); });
  loaded.data = open_on_nodes(loaded.configuration.data, loaded.configuration.seed, ranks);
  mpi::together(ranks, [&] { build(arguments, loaded); });
  agree_on_data(ranks, loaded.data);
  rank_provenance(ranks, loaded.configuration);
}

MetricSum run_model(Loaded& loaded, const mpi::Communicator& ranks) {
  const DataSplits& data = loaded.data;
  return loaded.classifier
             ? adapt::evaluate(*loaded.classifier, *data.test, data.normalization, ranks)
             : adapt::evaluate(*loaded.network, *data.test, data.normalization, &loaded.plan, ranks);
}

void print(const Loaded& loaded, const MetricSum& result, double seconds) {
  std::ostringstream out;
  out << "test images      " << result.images() << "\ntest loss        " << result.mean_loss()
      << "\ntest accuracy    " << result.accuracy() << "\nimages/s         "
      << static_cast<double>(result.images()) / seconds << " (measured)\n";
  if (loaded.classifier && loaded.classifier->integer_layers() > 0) {
    out << "integer layers   " << loaded.classifier->integer_layers() << " of " << loaded.layers << "\n";
  }
  print_text(out.str());
}

}  // namespace

ExitCode evaluate(const std::vector<std::string>& arguments) {
  Usage usage = evaluate_usage();
  po::variables_map values;
  if (!parse(usage, arguments, values)) {
    return ExitCode::done;
  }
  EvaluateArguments chosen = {one_input(values, usage, "run folder"),
                              values["model"].as<std::string>(),
                              {},
                              "",
                              given(values, "set")};
  if (values.count("predictions") > 0) {
    if (values.count("engine") == 0) {
      throw BadInput("--predictions: expected --engine beside it, which says what predicts");
    }
    refuse_ranks("adapt evaluate --predictions");
    chosen.predictions = values["predictions"].as<std::string>();
    check_output_file("--predictions", chosen.predictions, chosen.run_dir);
  }
  if (values.count("engine") > 0) {
    chosen.engine = read_name<Engine>("engine", values["engine"].as<std::string>());
    check_inference_engine(*chosen.engine);
  }
  check_model_choice(chosen.model);
  const bool tune = wants_tuning(values);
  const mpi::Facts task = {{"the subcommand", "evaluate"},
                           {"--model", chosen.model},
                           {"--engine", chosen.engine ? std::string(name_of(*chosen.engine)) : "not given"}};
  return run_parallel(task, [&](const mpi::Communicator& ranks) {
    mpi::together(ranks, [&] { begin_tuning(tune, ranks); });
    Loaded loaded;
    prepare(chosen, ranks, loaded);
    const Stopwatch watch;
    const MetricSum result = run_model(loaded, ranks);
    end_tuning(ranks);
    if (ranks.rank() == 0) {
      print(loaded, result, watch.seconds());
    }
    if (!chosen.predictions.empty()) {
      loaded.classifier->write(chosen.predictions, *loaded.data.test, loaded.data.normalization);
    }
    return ExitCode::done;
  });
}

}  // namespace adapt::cli
