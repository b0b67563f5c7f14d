#include "nn/ceilings.hpp"

#include "base/aligned.hpp"
#include "base/threads.hpp"
#include "bench/benchmark.hpp"
#include "mpi/together.hpp"
#include "nn/onednn.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

/// Much more than any cache of a core, and what lies in its second cache.
constexpr std::size_t kMemoryNumbers = std::size_t{64} << 20;
constexpr std::size_t kCacheNumbers = std::size_t{64} << 10;

struct CeilingArguments {
  int size = 0;
  int threads = 1;
  TimingOptions timing;
};

CeilingArguments parse(const BenchArguments& arguments) {
  return {static_cast<int>(arguments.integer("size", 64, 8192)),
          static_cast<int>(arguments.integer("threads", 1, 1024)), arguments.timing()};
}

struct NamedType {
  const char* name;
  NumberType type;
};

/// The types that this processor multiplies in hardware.
std::vector<NamedType> product_types() {
  std::vector<NamedType> types = {{"float32", NumberType::float32}};
  if (onednn::has_bfloat16()) {
    types.push_back({"bfloat16", NumberType::bfloat16});
  }
  if (onednn::has_exact_bytes()) {
    types.push_back({"integer", NumberType::unsigned_byte});
  }
  return types;
}

class CeilingsBenchmark : public Benchmark {
 public:
  CeilingsBenchmark(const CeilingArguments& arguments, const mpi::Communicator& ranks)
      : arguments_(arguments), ranks_(ranks) {
    set_threads(arguments.threads);
  }

  BenchReport run() override { return {"ceilings", "units", "ceiling", {time_products(), time_memory()}}; }

 private:
  [[nodiscard]] BenchResult result(const std::string& name, const char* unit, double items,
                                   const Timing& timing) const {
    return {{{"ceiling", name},
             {"unit", unit},
             {"ranks", std::int64_t{ranks_.size()}},
             {"threads", std::int64_t{arguments_.threads}}},
            items * ranks_.size(),
            timing};
  }

  std::vector<BenchResult> time_products() {
    std::vector<PeakProduct> products;
    mpi::together(ranks_, [&] {
      for (const NamedType& type : product_types()) {
        products.emplace_back(type.type, arguments_.size);
      }
    });
    std::vector<Contender> contenders;
    for (PeakProduct& product : products) {
      contenders.push_back({[&product](std::int64_t calls) {
                              for (std::int64_t i = 0; i < calls; ++i) {
                                product.run();
                              }
                            },
                            {}});
    }
    const std::vector<Timing> timings = time_in_turn(contenders, arguments_.timing, ranks_);
    std::vector<BenchResult> results;
    for (std::size_t i = 0; i < timings.size(); ++i) {
      results.push_back(result(product_types()[i].name, "operation", products[i].operations(), timings[i]));
    }
    return results;
  }

  /// Reads: what a processor gets from memory and from its second cache.
  std::vector<BenchResult> time_memory() {
    const AlignedVector<float> numbers(kMemoryNumbers, 1.0F);
    float largest = 0;  // of all that was read, so that reading is not left out
    const auto reader = [&](std::size_t count) {
      return [&numbers, &largest, count](std::int64_t calls) {
        for (std::int64_t i = 0; i < calls; ++i) {
          largest += maximum_magnitude(std::span(numbers).first(count));
        }
      };
    };
    const std::vector<Timing> timings =
        time_in_turn({{reader(kMemoryNumbers), {}}, {reader(kCacheNumbers), {}}}, arguments_.timing, ranks_);
    return {result("memory", "byte", kMemoryNumbers * sizeof(float), timings[0]),
            result("cache", "byte", kCacheNumbers * sizeof(float), timings[1])};
  }

  CeilingArguments arguments_;
  const mpi::Communicator& ranks_;
};

}  // namespace

BenchmarkEntry ceilings_benchmark() {
  return {"ceilings", "what this machine does at best: large products, reading memory and second cache",
          with_timing_options({{"size", "1024", "rows and columns of the matrices that are multiplied"},
                               {"threads", "1", "oneDNN threads per rank (reading: one)"}},
                              "0.2"),
          [](const BenchArguments& arguments, const mpi::Communicator& ranks) -> std::unique_ptr<Benchmark> {
            return std::make_unique<CeilingsBenchmark>(parse(arguments), ranks);
          }};
}

}  // namespace adapt
