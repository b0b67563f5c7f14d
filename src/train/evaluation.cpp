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

/// Loss and hits of the batches that are this rank's and, of `workers` of the rank, that of number `worker`.
MetricSum evaluate_own(const Classify& classify, std::int64_t batch, const Dataset& dataset,
                       const Normalization& normalization, const mpi::Communicator& ranks, int worker,
                       int workers) {
  const std::int64_t image = dataset.shape().elements();
  AlignedVector<float> images(static_cast<std::size_t>(batch * image));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(batch));
  MetricSum sum;
  const std::int64_t stride = std::int64_t{ranks.size()} * workers * batch;
  for (std::int64_t first = (std::int64_t{worker} * ranks.size() + ranks.rank()) * batch;
       first < dataset.size(); first += stride) {
    if (worker == 0) {
      phase::begin("evaluate.batch");
    }
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

/// The sum over all ranks of what `own` gives on each.
MetricSum evaluate_all(const std::function<MetricSum()>& own, const mpi::Communicator& ranks) {
  MetricSum sum;
  mpi::together(ranks, [&] {
    phase::begin("evaluate");
    sum = own();
  });
  sum.reduce(ranks);
  return sum;
}

Classify classify_by(Network& network, const PrecisionPlan* plan) {
  return [&network, plan](std::span<const float> images, std::span<const std::int32_t> labels) {
    Pass pass;
    pass.plan = plan;
    pass.heeds_stop = true;
    return network.forward(images, labels, pass);
  };
}

}  // namespace

MetricSum evaluate(Network& network, const Dataset& dataset, const Normalization& normalization,
                   const PrecisionPlan* plan, const mpi::Communicator& ranks) {
  return evaluate_all(
      [&] {
        return evaluate_own(classify_by(network, plan), network.batch(), dataset, normalization, ranks, 0, 1);
      },
      ranks);
}

MetricSum evaluate(ModelWorkers& workers, const std::vector<std::unique_ptr<Network>>& networks,
                   const Dataset& dataset, const Normalization& normalization, const PrecisionPlan* plan,
                   const mpi::Communicator& ranks) {
  return evaluate_all(
      [&] {
        workers.refresh();
        std::vector<MetricSum> sums(networks.size());
        workers.run([&](int index) {
          const auto i = static_cast<std::size_t>(index);
          sums[i] = evaluate_own(classify_by(*networks[i], plan), networks[i]->batch(), dataset,
                                 normalization, ranks, index, workers.size());
        });
        MetricSum sum;
        for (const MetricSum& part : sums) {
          sum += part;
        }
        return sum;
      },
      ranks);
}

MetricSum evaluate(Classifier& classifier, const Dataset& dataset, const Normalization& normalization,
                   const mpi::Communicator& ranks) {
  const Classify classify = [&](std::span<const float> images, std::span<const std::int32_t> labels) {
    return classifier.classify(images, labels);
  };
  return evaluate_all(
      [&] { return evaluate_own(classify, classifier.batch(), dataset, normalization, ranks, 0, 1); }, ranks);
}

}  // namespace adapt
