#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/benchmark.hpp"

namespace adapt::cli {

/// An option of a benchmark, "--batch 256".
struct BenchOption {
  std::string name;
  std::string standard;  ///< as text
  std::string meaning;
  /// Sets what BenchCommand::make takes. Throws BadInput that names the option, what was expected and what
  /// was found.
  std::function<void(const std::string& text)> read;
};

/// A benchmark as the command line offers it.
struct BenchCommand {
  const char* name;
  const char* summary;  ///< one line
  std::vector<BenchOption> options;
  const TimingOptions* timing;  ///< as the options that were read say
  /// Makes the benchmark that they say; as MakeBenchmark.
  std::function<std::unique_ptr<Benchmark>(const mpi::Communicator& ranks)> make;
};

/// All of them.
const std::vector<BenchCommand>& bench_commands();

}  // namespace adapt::cli
