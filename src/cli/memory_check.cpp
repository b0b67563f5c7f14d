#include "cli/memory_check.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "cli/setup.hpp"
#include "mpi/shared_memory.hpp"

namespace adapt::cli {
namespace {

/// A process's estimate, by whether it is rank 0's.
using Estimator = std::function<MemoryEstimate(const TrainerOptions& options, bool first)>;

/// What all ranks of a node need, part by part.
MemoryEstimate sum_of_node(const TrainerOptions& options, const NodeRanks& node, const Estimator& estimate) {
  const std::int64_t others = node.ranks - (node.first ? 1 : 0);
  MemoryEstimate sum = node.first ? estimate(options, true) : MemoryEstimate();
  if (others == 0) {
    return sum;
  }
  for (const MemoryPart& part : estimate(options, false)) {
    const auto same =
        std::ranges::find_if(sum, [&](const MemoryPart& other) { return other.name == part.name; });
    MemoryPart& place = same == sum.end() ? sum.emplace_back(MemoryPart{part.name, 0}) : *same;
    if (part.of_node && node.shares_images) {
      place.bytes = std::max(place.bytes, part.bytes);
    } else {
      place.bytes += others * part.bytes;
    }
  }
  return sum;
}

/// What there is, for a node and for each process.
class Bounds {
 public:
  Bounds(const NodeRanks& node, Estimator estimate)
      : node_(node),
        estimate_(std::move(estimate)),
        machine_(available_memory()),
        process_(available_to_process()) {}

  /// With some to spare: who follows the advice finds a little less, or a little more.
  [[nodiscard]] bool fits(const TrainerOptions& options) const {
    constexpr double kSpare = 0.05;
    return !exceeded(options, 1 - kSpare);
  }

  /// What is too small, in words; none where all fits into `share` of what there is.
  [[nodiscard]] std::optional<std::string> exceeded(const TrainerOptions& options, double share = 1) const {
    const auto exceeds = [share](const MemoryEstimate& needed, const MemoryBound& bound) {
      return static_cast<double>(total(needed)) > share * static_cast<double>(bound.bytes);
    };
    const MemoryEstimate all = sum_of_node(options, node_, estimate_);
    if (exceeds(all, machine_)) {
      const std::string ranks = node_.ranks > 1 ? concat(" with ", node_.ranks, " ranks") : "";
      return message(all, concat("this machine", ranks), machine_);
    }
    const MemoryEstimate one = estimate_(options, node_.first);
    if (exceeds(one, process_)) {
      return message(one, "a process", process_);
    }
    return std::nullopt;
  }

 private:
  static std::string message(const MemoryEstimate& needed, const std::string& whose,
                             const MemoryBound& bound) {
    return concat("it needs about ", bytes_text(total(needed)), " (", parts_text(needed), ") of memory, and ",
                  whose, " has ", bytes_text(bound.bytes), " left (", bound.source, ")");
  }

  NodeRanks node_;
  Estimator estimate_;
  MemoryBound machine_;
  MemoryBound process_;
};

/// The largest k in 1..most for which `fits(k)`; 0 where there is none. What fits once fits below, too.
int largest(int most, const std::function<bool(int)>& fits) {
  int low = 0;
  int high = most + 1;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

/// "training.batch 512, or training.shards 16 with this batch"; empty where neither helps.
std::string fitting_training(const TrainerOptions& options, const Bounds& bounds) {
  const TrainingOptions& training = options.training;
  TrainerOptions plain = options;
  plain.training.test_batch = 0;
  if (training.test_batch > 0 && bounds.fits(plain)) {
    return "training.test_batch 0, as many images as a shard has";
  }
  const int shard = largest(training.batch / training.shards - 1, [&](int images) {
    TrainerOptions smaller = options;
    smaller.training.batch = images * training.shards;
    return bounds.fits(smaller);
  });
  std::string text = shard > 0 ? concat("training.batch ", shard * training.shards) : "";
  for (int shards = training.shards + 1;
       shards <= std::min(training.batch, kMostStepShards / training.accumulate); ++shards) {
    TrainerOptions finer = options;
    finer.training.shards = shards;
    if (training.batch % shards == 0 && bounds.fits(finer)) {
      return concat(text, text.empty() ? "" : ", or ", "training.shards ", shards, " with this batch");
    }
  }
  return text;
}

std::string fitting_evaluation(const TrainerOptions& options, const Bounds& bounds) {
  const int images = largest(options.training.test_images() - 1, [&](int count) {
    TrainerOptions smaller = options;
    smaller.training.test_batch = count;
    return bounds.fits(smaller);
  });
  return images > 0 ? concat("training.test_batch ", images) : "";
}

void check(const std::string& where, const TrainerOptions& options, const Bounds& bounds,
           std::string (*fitting)(const TrainerOptions&, const Bounds&)) {
  const std::optional<std::string> exceeded = bounds.exceeded(options);
  if (!exceeded) {
    return;
  }
  const std::string fits = fitting(options, bounds);
  throw BadInput(concat(where, ": ", *exceeded,
                        fits.empty() ? "; expected more memory or fewer ranks on it: no batch is small enough"
                                     : concat("; this fits: ", fits)),
                 Cause::machine);
}

/// With images of `data`, which may be more than the node's shared memory holds.
NodeRanks with_images(NodeRanks node, const DataDescription& data) {
  node.shares_images = mpi::SharedMemory::has_room(static_cast<std::size_t>(data.bytes));
  return node;
}

}  // namespace

NodeRanks ranks_of_node(const mpi::Communicator& ranks) {
  std::array<std::int64_t, 2> sums = {1, ranks.rank() == 0 ? 1 : 0};
  ranks.split_shared().sum(sums);
  return {sums[0], sums[1] > 0};
}

void check_training_memory(const std::string& where, const Configuration& configuration, int ranks,
                           const NodeRanks& node) {
  const DataDescription data = describe_dataset(configuration.data);
  const Estimator estimate = [&](const TrainerOptions& options, bool first) {
    return estimate_training(options, data, ranks, first);
  };
  check(where, trainer_options(configuration), Bounds(with_images(node, data), estimate), fitting_training);
}

void check_evaluation_memory(const std::string& where, const Configuration& configuration,
                             const NodeRanks& node) {
  const DataDescription data = describe_dataset(configuration.data);
  const Estimator estimate = [&](const TrainerOptions& options, bool /*first*/) {
    return estimate_evaluation(options, data);
  };
  check(where, trainer_options(configuration), Bounds(with_images(node, data), estimate), fitting_evaluation);
}

MemoryEstimate estimate_of(const Configuration& configuration) {
  return estimate_training(trainer_options(configuration), describe_dataset(configuration.data), 1,
                           /*first=*/true);
}

MemoryEstimate estimate_of_node(const Configuration& configuration, int ranks, const NodeRanks& node) {
  const DataDescription data = describe_dataset(configuration.data);
  return sum_of_node(trainer_options(configuration), node, [&](const TrainerOptions& options, bool first) {
    return estimate_training(options, data, ranks, first);
  });
}

std::string parts_text(MemoryEstimate estimate) {
  std::ranges::stable_sort(estimate, std::greater<>(), &MemoryPart::bytes);
  std::string parts;
  for (const MemoryPart& part : estimate) {
    if (part.bytes > 0) {
      parts += concat(parts.empty() ? "" : ", ", part.name, " ", bytes_text(part.bytes));
    }
  }
  return parts;
}

}  // namespace adapt::cli
