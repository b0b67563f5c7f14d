#include "bench/benchmark.hpp"

namespace adapt {

const std::vector<BenchmarkEntry>& benchmarks() {
  static const std::vector<BenchmarkEntry> entries = {
      step_benchmark(),
      infer_benchmark(),
      quantize_benchmark(),
  };
  return entries;
}

}  // namespace adapt
