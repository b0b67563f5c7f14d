#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "experiment/known.hpp"
#include "experiment/store.hpp"
#include "record/run_log.hpp"

namespace adapt::test {

/// A small configuration; `seed` tells runs apart.
inline Configuration stored_configuration(std::uint64_t seed, const std::string& model = "lenet5") {
  return parse("name: stored_" + std::to_string(seed) + "\nseed: " + std::to_string(seed) +
               "\nmodel: " + model + "\ntraining: {epochs: 2}\n");
}

/// Makes the folder of a finished run with a valid run.h5: two epochs, accuracies that follow from the seed.
/// Returns its identity.
inline std::string store_run(const RunStore& store, const Configuration& configuration) {
  std::string identity = store_identity(configuration);
  store.prepare(identity, configuration);
  RunLog log(store.folder(identity), resolved_yaml(configuration), {{"ranks", "2"}, {"threads", "1"}},
             {{"conv", 1000, 100}});
  const double accuracy = 0.5 + 0.0001 * static_cast<double>(configuration.seed);
  log.append(EpochRecord{1, 2.0, 0.3, 2.0, accuracy + 0.1, 10, 1});
  log.append(EpochRecord{2, 1.0, 0.4, 2.0, accuracy, 10, 1});
  log.write_model(std::vector<ModelTensor>{{"conv.weight", {1}, std::nullopt, {}, {0.5F}}});
  log.write_summary({{"modelled_training_speedup", 1.5}, {"best_epoch", 1}});
  log.finish();
  return identity;
}

/// Makes `count` finished runs with configurations of their own, half of them of alexnet, and one log that
/// all have a copy of.
inline void store_copies(const RunStore& store, std::uint64_t count) {
  const std::filesystem::path first = store.folder(store_run(store, stored_configuration(0)));
  for (std::uint64_t seed = 1; seed < count; ++seed) {
    const Configuration configuration = stored_configuration(seed, seed % 2 == 0 ? "lenet5" : "alexnet");
    const std::string identity = store_identity(configuration);
    store.make_folder(identity);
    std::ofstream(store.experiment(identity)) << resolved_yaml(configuration);
    for (const char* file : {"run.h5", "DONE"}) {
      std::filesystem::copy_file(first / file, store.folder(identity) / file);
    }
  }
}

}  // namespace adapt::test
