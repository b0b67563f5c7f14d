#include "base/file.hpp"
#include "base/log.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/output_file.hpp"
#include "cli/stored_model.hpp"
#include "cli/table.hpp"
#include "data/dataset.hpp"
#include "export/network.hpp"
#include "export/registry.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"
#include "record/run_file.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

std::string formats_text() {
  std::string text;
  for (const ExporterEntry& entry : kNames<Exporter>) {
    text += concat("\n  ", entry.name, std::string(8 - entry.name.size(), ' '), entry.summary);
  }
  return text;
}

Usage export_usage() {
  Usage usage;
  usage.synopsis = "adapt export RUN_DIR --to FORMAT --out FILE [--model last|best]";
  usage.description =
      "Writes the model of a finished run for other programs, and prints how each layer went:" +
      formats_text() +
      "\nRUN_DIR/run.h5 is all that is needed. What the files compute, and in which bits:\n"
      "src/export/README.md.";
  usage.examples =
      "  adapt export runs/bytes --to onnx --out model.onnx\n"
      "  adapt export runs/bytes --to qonnx --out model.qonnx.onnx --model best\n"
      "  adapt export runs/quickstart --to arrays --out model.npz\n"
      "  adapt export runs/quickstart --to packed --out model.packed\n";
  usage.options.add_options()("to", po::value<std::string>(), join_names(names_of<Exporter>()).c_str())(
      "out,o", po::value<std::string>(), "the file; written whole or not at all")(
      "model", po::value<std::string>()->default_value("last"),
      "which model: last (as training left it), or best (on the test set)");
  usage.positional.add("input", -1);
  return usage;
}

/// What run.h5 says of the network, and its numbers. No data set is opened.
StoredNetwork read_network(const std::string& run_dir, const std::string& which) {
  const RunFile file(run_dir);
  if (!file.done()) {
    throw BadInput(concat(run_dir,
                          " is not finished: it has no DONE that belongs to its run.h5; expected a "
                          "run that trained to its end (adapt train --resume)"));
  }
  Configuration configuration =
      parse_configuration(file.configuration(), run_dir + "/run.h5:/config", {}, known_names());
  configuration.model.graph = file.graph();
  const DataDescription data = describe_dataset(configuration.data);
  const ModelDescription model = make_model(configuration.model, data.classes);
  const Shape image = {1, data.shape.channels, data.shape.height, data.shape.width};
  StoredNetwork network = {.name = configuration.model.name,
                           .text = model_text(configuration.model),
                           .graph = lower(model, image, /*quantized=*/false),
                           .quantized = lower(model, image, /*quantized=*/true),
                           .tensors = chosen_model(file, run_dir, which),
                           .state = {},
                           .plan = {}};
  check_classifies(network.graph, network.name, data.classes);
  network.state = initialize(network.graph, configuration.model.init_scale, configuration.seed);
  network.plan = load_stored_model(run_dir, network.tensors, *network.state, network.graph.layers.size());
  return network;
}

void print(const ExportedFile& file) {
  std::vector<std::vector<std::string>> rows = {{"layer", "bits", "exported as"}};
  for (const ExportedLayer& layer : file.layers) {
    rows.push_back({layer.name, layer.bits, layer.how});
  }
  print_table(rows);
}

/// The value of an option that must be given.
std::string required(const po::variables_map& values, const char* option, const Usage& usage) {
  if (values.count(option) == 0) {
    throw BadInput(concat("expected --", option, "; usage: ", usage.synopsis));
  }
  return values[option].as<std::string>();
}

}  // namespace

ExitCode export_model(const std::vector<std::string>& arguments) {
  Usage usage = export_usage();
  po::variables_map values;
  if (!parse(usage, arguments, values)) {
    return ExitCode::done;
  }
  const std::string run_dir = one_input(values, usage, "run folder");
  const auto format = read_name<Exporter>("format", required(values, "to", usage));
  const std::string out = required(values, "out", usage);
  const auto which = values["model"].as<std::string>();
  check_model_choice(which);
  check_output_file("--out", out, run_dir);
  const ExportNetwork network(read_network(run_dir, which));
  const ExportedFile file = entry_of(format).make(network);
  write_atomically(out, file.bytes);
  print(file);
  log_info(concat("wrote ", out, ", ", file.bytes.size(), " bytes"));
  return ExitCode::done;
}

}  // namespace adapt::cli
