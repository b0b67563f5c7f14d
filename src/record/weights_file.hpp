#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/run_log.hpp"

namespace adapt {

/// SHA-256 of the file that holds the weights: `path`, or run.h5 in the run folder `path`. Throws BadInput
/// where it cannot be read.
std::string weights_digest(const std::filesystem::path& path);

/// What a training starts from.
struct StartingWeights {
  std::vector<ModelTensor> tensors;
  /// Whether a linear layer behind a map numbers its inputs (C, H, W), as ONNX and PyTorch do, and not (H, W,
  /// C).
  bool channels_first = false;
};

/// A model from a run folder (its last one), or from an .npz or .onnx file: arrays or initializers by the
/// names of the model's tensors, or by PyTorch's for the last word (of a batch norm: weight, bias,
/// running_var). Numbers are float32 or float64; integers have formats in an archive of `adapt export --to
/// arrays`. `digest`: what weights_digest() must say. Throws BadInput, with the path, for anything else.
StartingWeights read_weights(const std::filesystem::path& path, const std::string& digest);

}  // namespace adapt
