#include "nn/inference/network.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "nn/buffer_pool.hpp"
#include "nn/executor.hpp"
#include "nn/inference/steps.hpp"
#include "nn/kernels/onednn.hpp"

namespace adapt {
namespace {

/// What a step reads and writes stays below this, so that the next one finds it in the second cache, ...
constexpr std::int64_t kPieceBytes = 512 << 10;
/// ... unless the weights, which each piece reads anew, are this many times as large: then they decide.
constexpr std::int64_t kWeightShare = 4;

Graph with_batch(Graph graph, int images) {
  graph.image.n = images;
  for (GraphNode& node : graph.nodes) {
    node.input.n = images;
    node.output.n = images;
  }
  return graph;
}

std::int64_t size_in_bytes(const InferenceValue& value) {
  return value.shape.elements() * bytes_of(value.type);
}

/// Bytes of all weights.
std::int64_t weight_bytes(const InferencePlan& plan) {
  std::int64_t bytes = 0;
  for (const InferenceStep& step : plan.steps) {
    const NumberType type = plan.values[static_cast<std::size_t>(step.sources[0])].type;
    bytes += static_cast<std::int64_t>(step.product.weights.size()) * bytes_of(type);
  }
  return bytes;
}

/// The most that a step reads and writes.
std::int64_t largest_step(const InferencePlan& plan) {
  std::int64_t most = 1;
  for (const InferenceStep& step : plan.steps) {
    std::int64_t bytes = size_in_bytes(plan.values[static_cast<std::size_t>(step.destination)]);
    for (const int source : step.sources) {
      bytes += size_in_bytes(plan.values[static_cast<std::size_t>(source)]);
    }
    most = std::max(most, bytes);
  }
  return most;
}

/// Images that go through the network together, in pieces of one size. `plan` is for the whole batch.
int piece_of(const InferencePlan& plan, int batch) {
  const std::int64_t room = std::max(kPieceBytes, weight_bytes(plan) / kWeightShare);
  const auto fitting =
      static_cast<int>(std::clamp<std::int64_t>(room * batch / largest_step(plan), 1, batch));
  const int pieces = (batch + fitting - 1) / fitting;
  return (batch + pieces - 1) / pieces;
}

/// By value: a buffer, -1 for the images. A residual hands its buffer on.
std::vector<int> place_values(const InferencePlan& plan, BufferPool& pool) {
  std::vector<std::size_t> last_use(plan.values.size(), 0);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    for (const int source : plan.steps[s].sources) {
      last_use[static_cast<std::size_t>(source)] = s;
    }
  }
  std::vector<int> buffers(plan.values.size(), -1);
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const InferenceStep& step = plan.steps[s];
    const auto destination = static_cast<std::size_t>(step.destination);
    buffers[destination] = step.residual >= 0 ? buffers[static_cast<std::size_t>(step.residual)]
                                              : pool.take(size_in_bytes(plan.values[destination]));
    for (const int source : step.sources) {
      // The buffer of a residual lives on in the sum.
      const bool is_residual = std::ranges::any_of(
          plan.steps, [&](const InferenceStep& other) { return other.residual == source; });
      if (source != 0 && !is_residual && last_use[static_cast<std::size_t>(source)] == s) {
        pool.release(buffers[static_cast<std::size_t>(source)]);
      }
    }
  }
  return buffers;
}

}  // namespace

struct InferenceNetwork::Implementation {
  Implementation(const Graph& model, std::shared_ptr<ModelState> shared, NumberType floats,
                 const PrecisionPlan* formats, int batch_images)
      : state(std::move(shared)), batch(batch_images) {
    const InferencePlan whole = plan_inference(with_batch(model, batch), *state, floats, formats);
    piece = piece_of(whole, batch);
    graph = with_batch(model, piece);
    plan = plan_inference(graph, *state, floats, formats);
    BufferPool pool;
    const std::vector<int> places = place_values(plan, pool);
    for (const std::int64_t size : pool.sizes()) {
      buffers.emplace_back(static_cast<std::size_t>(size));
    }
    for (std::size_t i = 0; i < plan.values.size(); ++i) {
      void* const data = places[i] < 0 ? nullptr : buffers[static_cast<std::size_t>(places[i])].data();
      values.push_back({plan.values[i], value_memory(plan.values[i], data)});
    }
    for (const InferenceStep& step : plan.steps) {
      compile(step);
    }
    classes = plan.values[static_cast<std::size_t>(plan.steps.back().destination)].shape.c;
    logits.resize(static_cast<std::size_t>(batch) * static_cast<std::size_t>(classes));
  }

  void compile(const InferenceStep& step) {
    StepParts parts = {graph, *state, step, {}, values[static_cast<std::size_t>(step.destination)]};
    for (const int source : step.sources) {
      parts.sources.push_back(values[static_cast<std::size_t>(source)]);
    }
    if (step.residual >= 0) {
      parts.residual_type = plan.values[static_cast<std::size_t>(step.residual)].type;
    }
    executor.add({.name = step.name,
                  .forward = [run = compile_step(parts)](Pass& /*pass*/) { run(); },
                  .backward = {},
                  .parameters = 0});
  }

  /// Runs `piece` images from image `first` on.
  void run_piece(const float* images, int first) {
    values.front().data.set_data_handle(
        const_cast<float*>(images + first * (graph.image.elements() / piece)));
    Pass pass;
    executor.forward(pass);
    onednn::stream().wait();
    const auto* const result = static_cast<const float*>(
        values[static_cast<std::size_t>(plan.steps.back().destination)].data.get_data_handle());
    std::copy_n(result, piece * classes, logits.begin() + first * classes);
  }

  std::shared_ptr<ModelState> state;
  int batch;
  int piece = 1;
  Graph graph;
  InferencePlan plan;
  std::vector<AlignedVector<std::uint8_t>> buffers;
  std::vector<ValueMemory> values;
  Executor executor;
  int classes = 0;
  AlignedVector<float> logits;
};

InferenceNetwork::InferenceNetwork(const Graph& graph, std::shared_ptr<ModelState> state, NumberType floats,
                                   const PrecisionPlan* formats, int batch)
    : implementation_(std::make_unique<Implementation>(graph, std::move(state), floats, formats, batch)) {}

InferenceNetwork::~InferenceNetwork() = default;
InferenceNetwork::InferenceNetwork(InferenceNetwork&&) noexcept = default;

int InferenceNetwork::batch() const { return implementation_->batch; }
const InferencePlan& InferenceNetwork::plan() const { return implementation_->plan; }

std::span<const float> InferenceNetwork::run(std::span<const float> images) {
  Implementation& self = *implementation_;
  const std::int64_t expected = self.batch * (self.graph.image.elements() / self.piece);
  if (static_cast<std::int64_t>(images.size()) != expected) {
    throw Failure(concat("a network for ", self.batch, " images of ", expected / self.batch,
                         " numbers was given ", images.size(), " numbers"));
  }
  // The last piece begins earlier where the pieces do not divide the batch.
  for (int first = 0; first < self.batch; first += self.piece) {
    self.run_piece(images.data(), std::min(first, self.batch - self.piece));
  }
  return self.logits;
}

LossSum InferenceNetwork::classify(std::span<const float> images, std::span<const std::int32_t> labels) {
  if (static_cast<int>(labels.size()) > batch()) {
    throw Failure(concat("a network for ", batch(), " images was given ", labels.size(), " labels"));
  }
  return softmax_cross_entropy(run(images), labels, implementation_->classes, {});
}

std::span<const float> InferenceNetwork::logits() const { return implementation_->logits; }

void InferenceNetwork::count_layers() { implementation_->executor.count_steps(); }

const std::vector<LayerSeconds>& InferenceNetwork::layer_seconds() const {
  return implementation_->executor.seconds();
}

}  // namespace adapt
