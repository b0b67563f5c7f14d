#include "bench/benchmark.hpp"

namespace adapt {

const std::vector<BenchmarkEntry>& benchmarks() {
  static const std::vector<BenchmarkEntry> entries = {
      step_benchmark(), infer_benchmark(), ceilings_benchmark(), quantize_benchmark(), exchange_benchmark(),
  };
  return entries;
}

}  // namespace adapt
