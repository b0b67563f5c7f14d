#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "numerics/format.hpp"
#include "numerics/plan.hpp"
#include "numerics/rounding_loss.hpp"
#include "precision/policy.hpp"

namespace adapt {

/// What a layer's tensors lost by rounding; nothing in float32.
using LayerLosses = PerTensor<RoundingLoss>;

/// A quantized layer as the log knows it.
struct LoggedLayer {
  std::string name;             ///< readable, "stage2.block1.conv1"
  std::int64_t madds = 0;       ///< multiply-adds of one sample, forward
  std::int64_t parameters = 0;  ///< weights, bias excluded

  bool operator==(const LoggedLayer&) const = default;
};

/// Seconds of one step or epoch on this rank, by phase; stored as float32.
struct PhaseSeconds {
  double data = 0;     ///< waiting for images
  double forward = 0;  ///< quantization excluded
  double backward = 0;
  double quantize = 0;  ///< all quantization passes
  double exchange = 0;
  double policy = 0;  ///< deciding and broadcasting the plan
  double update = 0;
  double record = 0;
};

/// One row of /steps.
struct StepRecord {
  std::int64_t step = 0;  ///< from 1 over the whole run
  double loss = 0;        ///< cross entropy + regularization + penalty
  double cross_entropy = 0;
  double learning_rate = 0;
  PhaseSeconds seconds;
  double exposed_seconds = 0;      ///< part of seconds.exchange, stored as float32: gradients after backward
  std::int64_t bytes_sent = 0;     ///< gradient bytes that this rank sent
  std::int64_t messages_sent = 0;  ///< that carried them
  std::string strategy;            ///< of the policy; "min", "mean", "max" or empty
  double integer_share = 0;        ///< of the multiply-adds of products: in exact integer arithmetic
};

/// One row of /epochs.
struct EpochRecord {
  std::int64_t epoch = 0;  ///< from 1
  double train_loss = 0;
  double train_accuracy = 0;  ///< fraction, over the batches as they were trained on
  double test_loss = 0;
  double test_accuracy = 0;  ///< fraction
  double seconds = 0;        ///< wall clock of training, evaluation excluded
  double test_seconds = 0;   ///< wall clock of the evaluation
};

/// One row of /layers/<name>. Diversity, divergence, density and what follows are stored as float32.
struct LayerRecord {
  std::int64_t step = 0;
  LayerFormats formats;
  LayerState state;
  double density = 1;
  double dead_channels = 0;  ///< share of the output channels (nn/dead_channels.hpp)
  LayerLosses losses;        ///< in a sample of the first shard; of activations and their gradients
};

/// A tensor of the final model.
struct ModelTensor {
  std::string name;  ///< "conv1.weight"
  std::vector<std::int64_t> dims;
  std::optional<FixedFormat> format;   ///< present: `integers` hold q; absent: `numbers` hold float32 values
  std::vector<std::int32_t> integers;  ///< one of the two is filled, row-major
  std::vector<float> numbers;
  /// A layer's weights: formats of the activations that enter and leave the layer, for evaluation; absent:
  /// float32.
  std::optional<FixedFormat> inputs = std::nullopt;
  std::optional<FixedFormat> outputs = std::nullopt;
  std::optional<FixedFormat> operands = std::nullopt;  ///< of what goes on from the layer to a residual sum
};

class RunFile;

/// Where a run that was stopped goes on: rows of `earlier` up to these belong to the run, later ones (logged
/// after the checkpoint that it goes on from) do not.
struct Continuation {
  const RunFile& earlier;
  std::int64_t last_step = 0;
  std::int64_t last_epoch = 0;
};

/// Writes run.h5. The file under its name is at every moment complete and closed: each flush replaces it as a
/// whole. One process (rank 0) writes. All errors throw Failure with the path. What was appended after the
/// last flush is lost with the object.
class RunLog {
 public:
  /// `configuration`: the resolved YAML. `provenance`: attributes of /provenance. `graph`: the network, as a
  /// model file. Creates the folder, writes a first complete file, removes a DONE left by an earlier run.
  RunLog(const std::filesystem::path& run_dir, const std::string& configuration,
         const std::map<std::string, std::string>& provenance, const std::vector<LoggedLayer>& layers,
         const std::string& graph = "");
  /// The same for a run that goes on: its first complete file already holds the rows of `continuation`.
  /// Throws BadInput when that run has other layers.
  RunLog(const std::filesystem::path& run_dir, const std::string& configuration,
         const std::map<std::string, std::string>& provenance, const std::vector<LoggedLayer>& layers,
         const Continuation& continuation, const std::string& graph = "");
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void append(const StepRecord& record);
  void append(const EpochRecord& record);
  void append(int layer, const LayerRecord& record);
  void append(const SwitchEvent& event);
  /// /model, replacing what was there. Integers that do not fit their format, or a shape that does not fit
  /// the number of elements, throw Failure.
  void write_model(std::span<const ModelTensor> tensors);
  /// /best_model, the same for the model after `epoch` that was best on the test set.
  void write_best_model(std::span<const ModelTensor> tensors, std::int64_t epoch);
  /// /summary: figures about the whole run (final accuracy, modelled speedups, ...), replacing what was
  /// there.
  void write_summary(const std::map<std::string, double>& figures);
  /// Everything appended so far is on disk when this returns.
  void flush();
  /// flush(), then writes DONE ("<SHA-256 of run.h5>  run.h5", as `sha256sum --check` reads it). Throws
  /// Failure when write_model() was never called.
  void finish();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
