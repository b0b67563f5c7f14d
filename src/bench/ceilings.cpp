#include "nn/ceilings.hpp"

#include "base/aligned.hpp"
#include "base/threads.hpp"
#include "bench/benchmark.hpp"
#include "mpi/together.hpp"
#include "nn/kernels/onednn.hpp"
#include "numerics/sum.hpp"

namespace adapt {
namespace {

/// Much more than any cache of a core, and what lies in its second cache.
constexpr std::size_t kMemoryNumbers = std::size_t{64} << 20;
constexpr std::size_t kCacheNumbers = std::size_t{64} << 10;

struct NamedType {
  Engine engine;
  NumberType type;
};

/// The types that this processor multiplies in hardware.
std::vector<NamedType> product_types() {
  std::vector<NamedType> types = {{Engine::float32, NumberType::float32}};
  if (onednn::has_bfloat16()) {
    types.push_back({Engine::bfloat16, NumberType::bfloat16});
  }
  if (onednn::has_exact_bytes()) {
    types.push_back({Engine::integer, NumberType::unsigned_byte});
  }
  return types;
}

class CeilingsBenchmark : public Benchmark {
 public:
  CeilingsBenchmark(const CeilingsBenchOptions& options, const mpi::Communicator& ranks)
      : options_(options), ranks_(ranks) {
    set_threads(options.threads);
  }

  BenchReport run() override { return {"ceilings", "units", "ceiling", {time_products(), time_memory()}}; }

 private:
  [[nodiscard]] BenchResult result(const std::string& name, const char* unit, double items,
                                   const Timing& timing) const {
    return {{{"ceiling", name},
             {"unit", unit},
             {"ranks", std::int64_t{ranks_.size()}},
             {"threads", std::int64_t{options_.threads}}},
            items * ranks_.size(),
            timing};
  }

  std::vector<BenchResult> time_products() {
    std::vector<PeakProduct> products;
    mpi::together(ranks_, [&] {
      for (const NamedType& type : product_types()) {
        products.emplace_back(type.type, options_.size);
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
    const std::vector<Timing> timings = time_in_turn(contenders, options_.timing, ranks_);
    std::vector<BenchResult> results;
    for (std::size_t i = 0; i < timings.size(); ++i) {
      results.push_back(result(std::string(name_of(product_types()[i].engine)), "operation",
                               products[i].operations(), timings[i]));
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
        time_in_turn({{reader(kMemoryNumbers), {}}, {reader(kCacheNumbers), {}}}, options_.timing, ranks_);
    return {result("memory", "byte", kMemoryNumbers * sizeof(float), timings[0]),
            result("cache", "byte", kCacheNumbers * sizeof(float), timings[1])};
  }

  CeilingsBenchOptions options_;
  const mpi::Communicator& ranks_;
};

}  // namespace

std::unique_ptr<Benchmark> make_ceilings_benchmark(const CeilingsBenchOptions& options,
                                                   const mpi::Communicator& ranks) {
  return std::make_unique<CeilingsBenchmark>(options, ranks);
}

}  // namespace adapt
