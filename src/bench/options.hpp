#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "exchange/algorithm.hpp"
#include "exchange/registry.hpp"
#include "nn/options.hpp"
#include "precision/options.hpp"
#include "precision/registry.hpp"

namespace adapt {

// What each benchmark is to measure, with what it measures when nothing is said. Of models, engines,
// encodings and the like there is at least one; ratios are against the first.

/// Training steps on synthetic images, engines in turn.
struct StepBenchOptions {
  std::vector<std::string> models = {"lenet5"};
  std::vector<Engine> engines = {Engine::float32, Engine::emulated};
  /// One of all engines, or one for each. None: the usual one of the engine, which for integer is fixed
  /// formats per tensor.
  std::vector<std::optional<Policy>> policies = {std::nullopt};
  int word_length = 8;                                              ///< of the integer engine's fixed formats
  Backward backward = Backward::quantized;                          ///< of the integer engine
  std::vector<std::optional<Encoding>> encodings = {std::nullopt};  ///< likewise; none: auto
  std::optional<Algorithm> algorithm = {};                          ///< of the exchange; none: auto
  Rounding rounding = Rounding::stochastic;                         ///< of activations
  int batch = 256;                                                  ///< images per step, over all ranks
  int shards = 8;
  int threads = 1;      ///< of a rank, which take shards side by side
  bool layers = false;  ///< time each layer, too
  TimingOptions timing = {.repeats = 7, .seconds = 1};
};

/// Classification of synthetic images, engines in turn.
struct InferBenchOptions {
  std::vector<std::string> models = {"lenet5"};
  std::vector<Engine> engines = {Engine::float32, Engine::integer};
  int batch = 128;  ///< images per call, over all ranks: each takes its part
  int threads = 1;
  bool layers = false;
  TimingOptions timing = {.repeats = 7, .seconds = 0.5};
};

/// What this machine does at best: large products, reading memory and second cache.
struct CeilingsBenchOptions {
  int size = 1024;  ///< rows and columns of the matrices that are multiplied
  int threads = 1;  ///< per rank (reading: one)
  TimingOptions timing = {.repeats = 7, .seconds = 0.2};
};

/// Names of the quantization kernels.
std::vector<std::string> quantize_kernels();

/// Quantization kernels, instruction sets in turn.
struct QuantizeBenchOptions {
  std::vector<std::string> kernels = quantize_kernels();
  std::int64_t elements = 65536;  ///< length of the arrays that each rank works on
  TimingOptions timing = {.repeats = 7, .seconds = 0.05};
};

/// Gradient exchange of one tensor, encodings in turn.
struct ExchangeBenchOptions {
  std::vector<Encoding> encodings = {Encoding::float32, Encoding::exact, Encoding::layer, Encoding::int16,
                                     Encoding::int8};
  std::vector<std::int64_t> elements = {1024, 16384, 262144, 2097152};  ///< sizes of the gradient
  int shards = 8;                                                       ///< over all ranks
  int word_length = 8;                      ///< bits of the format of the encoding layer
  std::optional<Algorithm> algorithm = {};  ///< none: auto
  TimingOptions timing = {.repeats = 7, .seconds = 0.2};
};

}  // namespace adapt
