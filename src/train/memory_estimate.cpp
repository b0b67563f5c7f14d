#include "train/memory_estimate.hpp"

#include <algorithm>
#include <numeric>

#include "data/loader.hpp"
#include "nn/network.hpp"
#include "nn/parameters.hpp"
#include "train/engine.hpp"
#include "train/model_workers.hpp"
#include "train/step.hpp"

namespace adapt {
namespace {

constexpr std::int64_t kFloat = sizeof(float);
constexpr std::int64_t kMegabyte = 1'000'000;
/// The program with its libraries, before it reads anything; oneDNN 2.6 has 15 MB less than 3.7.
constexpr std::int64_t kProgram = 45 * kMegabyte;
/// What is there besides once a training runs: kernels, threads, buffers of the log and of MPI; and for each
/// node, with its primitives.
constexpr std::int64_t kRunning = 20 * kMegabyte;
constexpr std::int64_t kNode = 3 * kMegabyte / 10;
/// A checkpoint holds copies of the models and of the state beside its encoding; the state is gathered in a
/// vector that has grown, to up to twice its size.
constexpr std::int64_t kCheckpointModels = 2;
constexpr std::int64_t kCheckpointStates = 3;

/// Arithmetic that takes at least as much memory as what `options` choose, on any machine.
Arithmetic largest_arithmetic(const TrainerOptions& options) {
  return options.engine.name == Engine::bfloat16 ? Arithmetic::bfloat16 : Arithmetic::emulated;
}

std::int64_t program_bytes(const Graph& graph) {
  const auto nodes =
      std::ranges::count_if(graph.nodes, [](const GraphNode& node) { return !node.op().quantization(); });
  return kProgram + kRunning + kNode * nodes;
}

/// The largest activation in a layout that one of oneDNN's kernels likes better.
std::int64_t scratch_bytes(const Graph& graph) {
  std::int64_t largest = 0;
  for (const GraphNode& node : graph.nodes) {
    largest = std::max(largest, node.output.elements());
  }
  return largest * kFloat;
}

std::int64_t evaluation_bytes(const TrainerOptions& options, const Graph& graph) {
  return value_bytes(graph, /*training=*/false, largest_arithmetic(options));
}

/// Of weights, by whichever arithmetic `options` may choose.
std::int64_t copy_bytes(const TrainerOptions& options, const Graph& graph, bool training) {
  const Engine engine = options.engine.name.value_or(Engine::integer);
  return weight_copy_bytes(graph, training,
                           engine == Engine::integer ? Arithmetic::integer : largest_arithmetic(options));
}

/// Sums of gradients, and with several ranks the messages that carry them: what is sent and what comes, for
/// the parts of sums and for the whole ones.
std::int64_t exchange_bytes(const TrainerOptions& options, std::int64_t parameters, int ranks) {
  const std::int64_t sums =
      parameters *
      (options.exchange.encoding == Encoding::float32 ? kFloat : std::int64_t{sizeof(std::int64_t)});
  constexpr std::int64_t kMessages = 4;
  return ranks > 1 ? sums + kMessages * sums : sums;
}

/// What each shard's gradients lost to rounding: a rank's own shards, on rank 0 all of them.
std::int64_t feedback_bytes(const TrainerOptions& options, std::int64_t parameters, int ranks, bool first) {
  const std::int64_t shards = options.training.step_shards();
  const std::int64_t own = first ? shards : (shards + ranks - 1) / ranks;
  return options.exchange.error_feedback ? own * parameters * kFloat : 0;
}

/// Gradients that the policy keeps.
std::int64_t policy_bytes(const PolicyOptions& precision, std::int64_t parameters) {
  const std::int64_t copies = precision.name == Policy::adapt    ? 1
                              : precision.name == Policy::muppet ? precision.muppet.resolution + 1
                                                                 : 0;
  return copies * parameters * kFloat;
}

/// Images and labels while training goes on, or the files while they are read, where that takes more than all
/// that comes later.
void add_images(const DataDescription& data, MemoryEstimate& estimate) {
  estimate.insert(estimate.begin(), {"images", data.bytes, /*of_node=*/true});
  const std::int64_t reading = kProgram + data.opening_bytes - total(estimate);
  if (reading > 0) {
    estimate.push_back({"reading the images", reading, /*of_node=*/true});
  }
}

}  // namespace

std::int64_t total(const MemoryEstimate& estimate) {
  return std::accumulate(estimate.begin(), estimate.end(), std::int64_t{0},
                         [](std::int64_t sum, const MemoryPart& part) { return sum + part.bytes; });
}

MemoryEstimate estimate_training(const TrainerOptions& options, const DataDescription& data, int ranks,
                                 bool first) {
  const TrainingOptions& training = options.training;
  const int shard = training.batch / training.shards;
  const Graph graph = make_graph(options, data.shape, data.classes, shard);
  const Graph test = make_graph(options, data.shape, data.classes, training.test_images());
  const std::int64_t image = data.shape.elements() * kFloat;
  const std::int64_t parameters = parameter_elements(graph);
  const std::int64_t policy = policy_bytes(options.precision, parameters);
  const std::int64_t feedback = feedback_bytes(options, parameters, ranks, first);
  // Masters, working copies, gradients; gradients and momentum of the optimizer.
  const std::int64_t model = 3 * parameters * kFloat;
  const std::int64_t workers = ModelWorkers::count(training, ranks);  // each with all that it computes on
  const std::int64_t optimizer = 2 * parameters * kFloat;
  const std::int64_t copies =
      copy_bytes(options, graph, /*training=*/true) + copy_bytes(options, test, false);
  MemoryEstimate estimate = {
      {"activations and their gradients",
       workers * std::max(value_bytes(graph, /*training=*/true, largest_arithmetic(options)),
                          evaluation_bytes(options, test))},
      {"scratch of kernels", workers * std::max(scratch_bytes(graph), scratch_bytes(test))},
      {"batches of images",
       ((TrainLoader::kSlots + workers) * shard + workers * training.test_images()) * image},
      {"parameters", model + (workers - 1) * 2 * parameters * kFloat + workers * copies},
      {"optimizer", optimizer},
      {"exchange", exchange_bytes(options, parameters, ranks) + feedback},
      {"policy", policy}};
  if (first) {
    const std::int64_t models = 2 * parameters * kFloat;  // last and best
    const std::int64_t state = 2 * parameters * kFloat + policy + feedback;
    estimate.push_back(
        {"models and checkpoint", (1 + kCheckpointModels) * models + kCheckpointStates * state});
  }
  estimate.push_back({"program", program_bytes(graph)});
  add_images(data, estimate);
  return estimate;
}

MemoryEstimate estimate_evaluation(const TrainerOptions& options, const DataDescription& data) {
  const int batch = options.training.test_images();
  const Graph graph = make_graph(options, data.shape, data.classes, batch);
  const std::int64_t parameters = parameter_elements(graph);
  MemoryEstimate estimate = {
      {"activations", evaluation_bytes(options, graph)},
      {"scratch of kernels", scratch_bytes(graph)},
      {"batches of images", batch * data.shape.elements() * kFloat},
      // Model and its source in run.h5.
      {"parameters", (3 + 1) * parameters * kFloat + copy_bytes(options, graph, false)},
      {"program", program_bytes(graph)}};
  add_images(data, estimate);
  return estimate;
}

}  // namespace adapt
