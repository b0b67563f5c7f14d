// Trains random small networks and prints what their weights came to, for random_networks_test.py.
//
// usage: random_networks FIRST_SEED NETWORKS OVERLAP(0|1) ALGORITHM PER_NODE FOLDER [begin|resume]
// With ALGORITHM of the exchange, and as if PER_NODE ranks were on each node. Without the last word: 8 steps
// of each. begin: 4 steps, a state in FOLDER, and two steps more, which are lost; at the end the last rank
// kills itself. resume: the other 4 steps.

#include "train/random_networks.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/error.hpp"
#include "base/sha256.hpp"
#include "exchange/virtual_ranks.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

constexpr int kSteps = 8;
constexpr int kHalf = 4;
constexpr double kRate = 0.02;

std::vector<std::byte> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void write(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// SHA-256 over all master weights and running statistics.
std::string digest(const ModelState& state) {
  Sha256 sha;
  for (const Parameter& parameter : state.parameters) {
    sha.update(std::as_bytes(std::span(parameter.master)));
  }
  for (const RunningStatistics& statistics : state.statistics) {
    sha.update(std::as_bytes(std::span(statistics.running_mean)));
    sha.update(std::as_bytes(std::span(statistics.running_variance)));
  }
  return sha.finish();
}

struct Work {
  bool overlap = false;
  std::optional<Algorithm> algorithm;
  std::filesystem::path folder;
  std::string part;  // "", begin, resume
};

void run(const test::RandomTraining& training, const ExchangeOptions& exchange, const Work& work,
         const mpi::Communicator& ranks) {
  TrainerOptions options = training.options();
  options.exchange = exchange;
  options.exchange.overlap = work.overlap;
  options.exchange.algorithm = work.algorithm;
  const std::string name =
      concat(options.seed, "-", *exchange.encoding, exchange.error_feedback ? "-feedback" : "");
  TrainingStep step(options, training.data(), ranks);
  if (work.part == "resume") {
    step.restore_state(read(work.folder / name));
  }
  const int steps = work.part == "begin" ? kHalf : kSteps;
  while (step.steps() < steps) {
    step.run(kRate);
  }
  if (work.part == "begin") {
    step.collect_state();
    if (ranks.rank() == 0) {
      write(work.folder / name, step.save_state());
    }
    step.run(kRate);
    step.run(kRate);
  } else if (ranks.rank() == 0) {
    std::cout << name << " " << options.precision.name << " " << digest(*step.state()) << "\n";
  }
}

}  // namespace
}  // namespace adapt

int main(int argc, char** argv) {
  using namespace adapt;
  if (argc < 7) {
    std::cerr << "usage: random_networks FIRST_SEED NETWORKS OVERLAP ALGORITHM PER_NODE FOLDER "
                 "[begin|resume]\n";
    return 2;
  }
  const mpi::Session session(&argc, &argv);
  mpi::Communicator ranks = mpi::Communicator::world();
  ranks.pretend_nodes(test::placed_in_blocks(ranks.size(), std::atoi(argv[5])));
  const Work work = {std::string(argv[3]) == "1", find_named<Algorithm>(argv[4]), argv[6],
                     argc > 7 ? argv[7] : ""};
  try {
    const std::uint64_t first = std::strtoull(argv[1], nullptr, 10);
    for (std::uint64_t seed = first; seed < first + std::strtoull(argv[2], nullptr, 10); ++seed) {
      const test::RandomTraining training(seed);
      for (const ExchangeOptions& exchange : training.exchanges()) {
        run(training, exchange, work, ranks);
      }
    }
    ranks.barrier();
    if (work.part == "begin" && ranks.rank() == ranks.size() - 1) {
      std::raise(SIGKILL);
    }
    ranks.barrier();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    mpi::abort(1);
  }
  return 0;
}
