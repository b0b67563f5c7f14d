#include "train/model_workers.hpp"

#include <algorithm>
#include <functional>

#include "base/threads.hpp"

namespace adapt {
namespace {

/// What networks compute on: all but the masters and the memory of values.
std::shared_ptr<ModelState> copy_of(const ModelState& state) {
  auto copy = std::make_shared<ModelState>();
  copy->parameters = state.parameters;
  for (Parameter& parameter : copy->parameters) {
    parameter.master = {};
  }
  copy->statistics = state.statistics;
  return copy;
}

}  // namespace

int ModelWorkers::count(const TrainingOptions& options, int ranks) {
  return std::min(options.threads, std::max(1, options.step_shards() / ranks));
}

ModelWorkers::ModelWorkers(const TrainingOptions& options, std::shared_ptr<ModelState> state,
                           const mpi::Communicator& ranks)
    : openmp_threads_(options.threads / count(options, ranks.size())),
      states_{std::move(state)},
      team_(count(options, ranks.size()), openmp_threads_) {
  while (static_cast<int>(states_.size()) < size()) {
    states_.push_back(copy_of(*states_.front()));
  }
}

void ModelWorkers::run(const std::function<void(int)>& body) {
  use_openmp_threads(openmp_threads_);
  team_.run(body);
}

void ModelWorkers::refresh() {
  const ModelState& model = *states_.front();
  for (std::size_t worker = 1; worker < states_.size(); ++worker) {
    ModelState& copy = *states_[worker];
    for (std::size_t p = 0; p < model.parameters.size(); ++p) {
      std::ranges::copy(model.parameters[p].working, copy.parameters[p].working.begin());
      copy.parameters[p].version = model.parameters[p].version;
    }
    for (std::size_t i = 0; i < model.statistics.size(); ++i) {
      std::ranges::copy(model.statistics[i].running_mean, copy.statistics[i].running_mean.begin());
      std::ranges::copy(model.statistics[i].running_variance, copy.statistics[i].running_variance.begin());
    }
  }
}

}  // namespace adapt
