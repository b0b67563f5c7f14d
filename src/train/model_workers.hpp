#pragma once

#include <memory>
#include <vector>

#include "base/thread_team.hpp"
#include "mpi/communicator.hpp"
#include "nn/parameters.hpp"
#include "train/options.hpp"

namespace adapt {

/// The threads of a rank (training.threads): each computes shards, or batches of an evaluation, of its own,
/// as ranks do, on a copy of the model, whose bits so do not depend on their number. Threads beyond those
/// that the rank has shards for are oneDNN's, within a shard.
class ModelWorkers {
 public:
  /// Workers of a rank of `ranks`.
  static int count(const TrainingOptions& options, int ranks);

  ModelWorkers(const TrainingOptions& options, std::shared_ptr<ModelState> state,
               const mpi::Communicator& ranks);

  [[nodiscard]] int size() const { return team_.size(); }
  /// What worker i computes on; the first one's is the model itself.
  [[nodiscard]] const std::shared_ptr<ModelState>& state(int worker) const {
    return states_[static_cast<std::size_t>(worker)];
  }
  /// Brings what the model's weights and running statistics are now to the copies.
  void refresh();
  /// As ThreadTeam::run. What a worker uses of oneDNN is made and used by it alone.
  void run(const std::function<void(int)>& body);

 private:
  int openmp_threads_;  ///< of each
  std::vector<std::shared_ptr<ModelState>> states_;
  ThreadTeam team_;
};

}  // namespace adapt
