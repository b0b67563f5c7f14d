#include "cli/setup.hpp"

#include "cli/command.hpp"
#include "cli/machines.hpp"
#include "cli/versions.hpp"

namespace adapt::cli {

TrainerOptions trainer_options(const Configuration& configuration) {
  return {.seed = configuration.seed,
          .model = configuration.model,
          .engine = configuration.engine,
          .precision = configuration.precision,
          .exchange = configuration.exchange,
          .training = configuration.training,
          .record = configuration.record,
          .checkpoint = configuration.checkpoint,
          .augmentation = configuration.data.augmentation,
          .crop_padding = configuration.data.crop_padding};
}

std::map<std::string, std::string> run_provenance(const Configuration& configuration, const DataSplits& data,
                                                  const mpi::Communicator& ranks) {
  auto provenance = program_provenance();
  provenance["command_line"] = command_line();
  provenance["program_sha256"] = program_sha256();
  provenance["ranks"] = std::to_string(ranks.size());
  provenance["threads"] = std::to_string(configuration.training.threads);
  provenance["seed"] = std::to_string(configuration.seed);
  provenance["identity"] = run_identity(configuration);
  provenance["dataset_train_sha256"] = data.train->checksum();
  provenance["dataset_test_sha256"] = data.test->checksum();
  if (!configuration.model.weights.empty()) {
    provenance["weights"] = configuration.model.weights;
    provenance["weights_sha256"] = configuration.model.weights_sha256;
  }
  return provenance;
}

}  // namespace adapt::cli
