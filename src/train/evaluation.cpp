#include "train/evaluation.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "base/phase.hpp"
#include "base/stop_signal.hpp"
#include "data/loader.hpp"
#include "mpi/together.hpp"

namespace adapt {
namespace {

using Classify = std::function<LossSum(std::span<const float>, std::span<const std::int32_t>)>;

/// Loss and hits of the batches that are this rank's.
MetricSum evaluate_own(const Classify& classify, std::int64_t batch, const Dataset& dataset,
                       const Normalization& normalization, const mpi::Communicator& ranks) {
  const std::int64_t image = dataset.shape().elements();
  AlignedVector<float> images(static_cast<std::size_t>(batch * image));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
  MetricSum sum;
  phase::begin("evaluate");
  for (std::int64_t first = ranks.rank() * batch; first < dataset.size(); first += ranks.size() * batch) {
    phase::begin("evaluate.batch");
    check_stop();
    const auto count = static_cast<std::size_t>(std::min(batch, dataset.size() - first));
    const std::span some_labels = std::span(labels).first(count);
    read_images(dataset, normalization, first,
                std::span(images).first(count * static_cast<std::size_t>(image)), some_labels);
    const LossSum loss = classify(images, some_labels);
    sum.add(loss.loss, loss.correct, static_cast<std::int64_t>(count));
  }
  return sum;
}

MetricSum evaluate_all(const Classify& classify, std::int64_t batch, const Dataset& dataset,
                       const Normalization& normalization, const mpi::Communicator& ranks) {
  MetricSum sum;
  mpi::together(ranks, [&] { sum = evaluate_own(classify, batch, dataset, normalization, ranks); });
  sum.reduce(ranks);
  return sum;
}

}  // namespace

MetricSum evaluate(Network& network, const Dataset& dataset, const Normalization& normalization,
                   const PrecisionPlan* plan, const mpi::Communicator& ranks) {
  const Classify classify = [&](std::span<const float> images, std::span<const std::int32_t> labels) {
    Pass pass;
    pass.plan = plan;
    pass.heeds_stop = true;
    return network.forward(images, labels, pass);
  };
  return evaluate_all(classify, network.batch(), dataset, normalization, ranks);
}

MetricSum evaluate(Classifier& classifier, const Dataset& dataset, const Normalization& normalization,
                   const mpi::Communicator& ranks) {
  const Classify classify = [&](std::span<const float> images, std::span<const std::int32_t> labels) {
    return classifier.classify(images, labels);
  };
  return evaluate_all(classify, classifier.batch(), dataset, normalization, ranks);
}

}  // namespace adapt
