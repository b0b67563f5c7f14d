// run_h5_sample write DIR    writes the sample run of sample_run.hpp
// run_h5_sample read FILE    prints what RunFile reads, one line "name value..." each, for comparison in
// Python run_h5_sample compare A B  prints first_difference

#include <iostream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/isolated.hpp"
#include "record/run_file.hpp"
#include "sample_run.hpp"

namespace adapt {
namespace {

std::string show(const std::optional<FixedFormat>& format) { return format ? concat(*format) : "float32"; }

void print_tables(const RunFile& run) {
  for (const StepRecord& row : run.steps()) {
    std::cout << "step " << row.step << " " << row.loss << " " << row.cross_entropy << " "
              << row.learning_rate << " " << row.seconds.data << " " << row.seconds.record << " "
              << row.bytes_sent << " " << row.strategy << "\n";
  }
  for (const EpochRecord& row : run.epochs()) {
    std::cout << "epoch " << row.epoch << " " << row.train_loss << " " << row.test_accuracy << " "
              << row.seconds << "\n";
  }
  for (const SwitchEvent& row : run.switches()) {
    std::cout << "switch " << row.step << " " << row.layer << " " << show(row.before) << " "
              << show(row.after) << " " << show(row.minimal) << " " << row.diversity << " " << row.strategy
              << "\n";
  }
}

void print_layers(const RunFile& run) {
  for (const LoggedLayer& layer : run.layers()) {
    std::cout << "layer " << layer.name << " " << layer.madds << " " << layer.parameters << "\n";
    for (const LayerRecord& row : run.layer_rows(layer.name)) {
      std::cout << "row " << row.step << " " << show(row.formats.weights) << " " << show(row.formats.inputs)
                << " " << show(row.formats.outputs) << " " << show(row.formats.gradients) << " "
                << row.state.lookback << " " << row.state.resolution << " " << row.state.diversity << " "
                << row.density << "\n";
    }
  }
}

void print_rest(const RunFile& run) {
  std::cout << "config " << run.configuration() << "\n";
  for (const auto& [name, value] : run.provenance()) {
    std::cout << "provenance " << name << " " << value << "\n";
  }
  for (const auto& [name, value] : run.summary()) {
    std::cout << "summary " << name << " " << value << "\n";
  }
  for (const ModelTensor& tensor : run.model()) {
    std::cout << "tensor " << tensor.name << " " << show(tensor.format);
    for (const std::int64_t length : tensor.dims) {
      std::cout << " " << length;
    }
    std::cout << " :";
    for (const std::int32_t q : tensor.integers) {
      std::cout << " " << q;
    }
    for (const float number : tensor.numbers) {
      std::cout << " " << number;
    }
    std::cout << "\n";
  }
  std::cout << "done " << run.done() << "\n";
}

int run(const std::vector<std::string>& words) {
  std::cout.precision(17);
  if (words.size() == 2 && words[0] == "write") {
    test::write_sample_run(words[1]);
  } else if (words.size() == 2 && words[0] == "read") {
    const RunFile file(words[1]);
    print_rest(file);
    print_tables(file);
    print_layers(file);
  } else if (words.size() == 3 && words[0] == "compare") {
    std::cout << first_difference(RunFile(words[1]), RunFile(words[2])) << "\n";
  } else {
    throw BadInput("usage: run_h5_sample write DIR | read FILE | compare A B");
  }
  return 0;
}

}  // namespace
}  // namespace adapt

int main(int argc, char** argv) {
  adapt::serve_isolated(argc, argv);
  try {
    return adapt::run({argv + 1, argv + argc});
  } catch (const adapt::Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
}
