#include "base/terminal.hpp"
#include "cli/command.hpp"
#include "mpi/communicator.hpp"
#include "nn/onednn.hpp"
#include "numerics/quantize.hpp"
#include "record/provenance.hpp"
#include "record/run_file.hpp"

namespace adapt::cli {
namespace {

void print(const std::string& key, const std::string& value) {
  const std::string name = printable_line(key);
  print_line(concat(name, std::string(name.size() < 24 ? 24 - name.size() : 1, ' '), value));
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

void print_program() {
  for (const auto& [key, value] : build_provenance()) {
    if (key != "start_time") {
      print(key, value);
    }
  }
  print("onednn_version", onednn::version());
  print("onednn_instruction_set", onednn::instruction_set());
  print("vector_code", vector_isa());
  print("mpi_version", mpi::library_version());
  const KnownNames names = known_names();
  print("models", joined(names.models));
  print("datasets", joined(names.datasets));
  print("policies", joined(names.policies));
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
  usage.synopsis = "adapt info [RUN_DIR]";
  usage.description =
      "Without RUN_DIR: versions, instruction sets, and the names of models, datasets and policies.\n"
      "With RUN_DIR: what the run holds.";
  usage.examples = "  adapt info\n  adapt info runs/quickstart\n";
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
  if (inputs.empty()) {
    print_program();
  } else {
    print_run(inputs[0]);
  }
  return ExitCode::done;
}

}  // namespace adapt::cli
