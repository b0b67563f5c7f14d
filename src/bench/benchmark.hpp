#pragma once

#include <memory>

#include "bench/options.hpp"
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

/// A door for benchmarks: one file, its options in bench/options.hpp, its function declared here, and both
/// named in cli/bench_commands.cpp.
template <class Options>
using MakeBenchmark = std::unique_ptr<Benchmark>(const Options& options, const mpi::Communicator& ranks);

// `ranks` must live as long as the benchmark. Throw BadInput.
MakeBenchmark<StepBenchOptions> make_step_benchmark;
MakeBenchmark<InferBenchOptions> make_infer_benchmark;
MakeBenchmark<CeilingsBenchOptions> make_ceilings_benchmark;
MakeBenchmark<QuantizeBenchOptions> make_quantize_benchmark;
MakeBenchmark<ExchangeBenchOptions> make_exchange_benchmark;

}  // namespace adapt
