#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/suggest.hpp"
#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "cli/table.hpp"
#include "cli/versions.hpp"
#include "nn/graph.hpp"
#include "nn/kernels/grid_convolution.hpp"
#include "nn/model_file.hpp"
#include "nn/models.hpp"
#include "nn/passes/lower.hpp"
#include "record/run_file.hpp"
#include "yaml/domain.hpp"
#include "yaml/text.hpp"

namespace adapt::cli {
namespace {

namespace po = boost::program_options;

void print(const std::string& key, const std::string& value) {
  const std::string name = printable_line(key);
  print_line(concat(name, std::string(name.size() < 24 ? 24 - name.size() : 1, ' '), value));
}

void print_program() {
  for (const auto& [key, value] : program_provenance()) {
    if (key != "start_time") {
      print(key, value);
    }
  }
  const KnownNames names = known_names();
  print("models", join_names(names.models));
  print("datasets", join_names(names.datasets));
  print("policies", join_names(names_of<Policy>()));
}

/// The model file, or the shipped model, that `input` names.
ModelDescription model_of(const std::string& input, int classes) {
  const std::vector<std::string> shipped = model_names();
  if (std::find(shipped.begin(), shipped.end(), input) != shipped.end()) {
    return make_model(input, classes);
  }
  if (!std::filesystem::exists(input)) {
    throw BadInput(concat("--model ", quote_for_message(input), ": no such file, and no shipped model",
                          name_hint(input, shipped)));
  }
  return read_model(read_yaml_file(input), input, classes);
}

/// Which of the fixed-point engines' arithmetics a layer can have.
std::string arithmetic_of(const GraphNode& node) {
  const std::optional<ProductTerms> product = node.op().product();
  if (!product) {
    return "";
  }
  const ProductGeometry geometry = geometry_of(*product, node.input, node.output);
  return GridConvolution::fits(geometry) ? "float32, bfloat16, integers" : "float32, bfloat16";
}

void print_model(const std::string& input, int classes) {
  const ModelDescription model = model_of(input, classes);
  const Graph graph = lower(model, model.image, /*quantized=*/false);
  check_classifies(graph, model.name, classes);
  std::vector<std::vector<std::string>> rows = {
      {"layer", "kind", "output", "parameters", "multiply-adds", "arithmetic"}};
  std::int64_t parameters = 0;
  std::int64_t madds = 0;
  for (const GraphNode& node : graph.nodes) {
    std::int64_t own = 0;
    for (const ParameterShape& parameter : node.parameters()) {
      own += parameter.elements();
    }
    const bool is_product = node.op().product().has_value();
    const std::int64_t work = is_product ? graph.layers[static_cast<std::size_t>(node.layer)].madds : 0;
    rows.push_back({node.name, std::string(node.op().kind()), text_of(node.output), concat(own), concat(work),
                    arithmetic_of(node)});
    parameters += own;
    madds += work;
  }
  rows.push_back({"total", model.name, text_of(model.image), concat(parameters), concat(madds), ""});
  print_table(rows);
}

void print_run(const std::string& run_dir) {
  const RunFile file(run_dir);
  print("state", file.done()                         ? "done"
                 : file.done_mark() == Done::foreign ? "not finished: DONE does not belong to this run.h5"
                                                     : "not finished");
  const auto epochs = file.epochs();
  print("steps", std::to_string(file.steps().size()));
  print("epochs", std::to_string(epochs.size()));
  if (!epochs.empty()) {
    print("test accuracy", concat(epochs.back().test_accuracy));
  }
  print("precision switches", std::to_string(file.switches().size()));
  for (const ModelTensor& tensor : file.model()) {
    if (tensor.format) {
      print(tensor.name, concat(*tensor.format));
    }
  }
  for (const auto& [key, value] : file.summary()) {
    print(key, concat(value));
  }
  for (const auto& [key, value] : file.provenance()) {
    print(key, value);
  }
  print_text(concat("\n", file.configuration()));
}

}  // namespace

ExitCode info(const std::vector<std::string>& arguments) {
  Usage usage;
  usage.synopsis = "adapt info [RUN_DIR | --model FILE|NAME]";
  usage.description =
      "Without RUN_DIR: versions, instruction sets, and the names of models, datasets and policies.\n"
      "With RUN_DIR: what the run holds. With --model: the layers of a model file, or of a shipped model.";
  usage.examples = "  adapt info\n  adapt info runs/quickstart\n  adapt info --model resnet20\n";
  usage.options.add_options()("model", po::value<std::string>(), "a model file, or a shipped model's name")(
      "classes", po::value<int>()->default_value(10), "--model: classes of the data set");
  usage.positional.add("input", -1);
  boost::program_options::variables_map values;
  if (!parse(usage, arguments, values)) {
    return ExitCode::done;
  }
  const auto inputs = given(values, "input");
  if (inputs.size() > 1) {
    throw BadInput(
        concat("expected at most one run folder, got ", inputs.size(), "; usage: ", usage.synopsis));
  }
  if (values.contains("model")) {
    if (!inputs.empty()) {
      throw BadInput(concat("expected a run folder or --model, got both; usage: ", usage.synopsis));
    }
    print_model(values["model"].as<std::string>(), values["classes"].as<int>());
  } else if (inputs.empty()) {
    print_program();
  } else {
    print_run(inputs[0]);
  }
  return ExitCode::done;
}

}  // namespace adapt::cli
