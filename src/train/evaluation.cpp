#include "train/evaluation.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "data/loader.hpp"
#include "mpi/together.hpp"

namespace adapt {
namespace {

/// Loss and hits of the batches that are this rank's.
MetricSum evaluate_own(Network& network, const Dataset& dataset, const Normalization& normalization,
                       const PrecisionPlan* plan, const mpi::Communicator& ranks) {
  const std::int64_t batch = network.batch();
  const std::int64_t image = dataset.shape().elements();
  AlignedVector<float> images(static_cast<std::size_t>(batch * image));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
  MetricSum sum;
  for (std::int64_t first = ranks.rank() * batch; first < dataset.size(); first += ranks.size() * batch) {
    const auto count = static_cast<std::size_t>(std::min(batch, dataset.size() - first));
    const std::span some_labels = std::span(labels).first(count);
    read_images(dataset, normalization, first,
                std::span(images).first(count * static_cast<std::size_t>(image)), some_labels);
    Pass pass;
    pass.plan = plan;
    const LossSum loss = network.forward(images, some_labels, pass);
    sum.add(loss.loss, loss.correct, static_cast<std::int64_t>(count));
  }
  return sum;
}

}  // namespace

MetricSum evaluate(Network& network, const Dataset& dataset, const Normalization& normalization,
                   const PrecisionPlan* plan, const mpi::Communicator& ranks) {
  MetricSum sum;
  mpi::together(ranks, [&] { sum = evaluate_own(network, dataset, normalization, plan, ranks); });
  sum.reduce(ranks);
  return sum;
}

}  // namespace adapt
