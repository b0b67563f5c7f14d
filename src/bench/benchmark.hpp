#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/arguments.hpp"
#include "bench/report.hpp"
#include "mpi/communicator.hpp"

namespace adapt {

/// Something that `adapt bench` times. Its constructor does all that bad input can stop and is not
/// collective.
class Benchmark {
 public:
  virtual ~Benchmark() = default;
  Benchmark() = default;
  Benchmark(const Benchmark&) = delete;
  Benchmark& operator=(const Benchmark&) = delete;

  /// Measures (collective). The report is the same on all ranks.
  virtual BenchReport run() = 0;
};

/// A line of the registry.
struct BenchmarkEntry {
  const char* name;
  const char* summary;  ///< one line
  std::vector<BenchOption> options;
  /// `ranks` must live as long as the benchmark. Throws BadInput.
  std::unique_ptr<Benchmark> (*make)(const BenchArguments& arguments, const mpi::Communicator& ranks);
};

/// The door for benchmarks: one file and one line in benchmark.cpp.
const std::vector<BenchmarkEntry>& benchmarks();

/// Training steps of models on synthetic images: engines in turn.
BenchmarkEntry step_benchmark();
/// Classification with trained models: engines in turn.
BenchmarkEntry infer_benchmark();
/// What this machine does at best: regular products, memory.
BenchmarkEntry ceilings_benchmark();
/// Passes of the quantization kernels: instruction sets in turn, against the scalar reference.
BenchmarkEntry quantize_benchmark();
/// Gradient exchanges: encodings in turn, at several sizes.
BenchmarkEntry exchange_benchmark();

}  // namespace adapt
