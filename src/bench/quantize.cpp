#include <algorithm>
#include <array>
#include <cmath>

#include "base/aligned.hpp"
#include "bench/benchmark.hpp"
#include "numerics/dispatch.hpp"
#include "numerics/reference.hpp"

namespace adapt {
namespace {

using vector::Kernels;

constexpr FixedFormat kFormat = {8, 4};
constexpr RandomKey kKey = {.seed = 1, .stream = Stream::test};
constexpr int kExactFractionalLength = 20;
constexpr const char* kReference = "reference";
/// Sums of 8-bit integers, and of normal numbers times 2^20, stay far from overflow for so many passes.
constexpr std::int64_t kPassesPerSum = 1 << 20;

/// What the passes read and write.
struct Arrays {
  explicit Arrays(std::size_t size) : source(size), result(size), narrow(size), wide(size) {
    RandomSequence random(kKey);
    for (float& value : source) {
      value = static_cast<float>(random.normal());
    }
  }

  [[nodiscard]] std::size_t size() const { return source.size(); }
  void clear_sums() {
    std::fill(narrow.begin(), narrow.end(), 0);
    std::fill(wide.begin(), wide.end(), 0);
  }

  AlignedVector<float> source;
  AlignedVector<float> result;
  AlignedVector<std::int32_t> narrow;
  AlignedVector<std::int64_t> wide;
};

/// One pass over the arrays, by the kernels of an instruction set and by the scalar reference.
struct PassEntry {
  const char* name;
  void (*fast)(const Kernels& kernels, Arrays& arrays);
  void (*slow)(Arrays& arrays);
};

template <Rounding kRounding>
void reference_pass(Arrays& arrays) {
  (void)reference::quantize(arrays.source, kFormat, kRounding, kKey);
}

const std::array kPasses = {
    PassEntry{"quantize_nearest",
              [](const Kernels& kernels, Arrays& a) {
                kernels.quantize(a.source.data(), a.result.data(), a.size(), vector::grid_of(kFormat),
                                 nullptr);
              },
              reference_pass<Rounding::nearest>},
    PassEntry{"quantize_stochastic",
              [](const Kernels& kernels, Arrays& a) {
                const vector::Sequence random = vector::sequence_of(kKey, 0);
                kernels.quantize(a.source.data(), a.result.data(), a.size(), vector::grid_of(kFormat),
                                 &random);
              },
              reference_pass<Rounding::stochastic>},
    PassEntry{"quantize_to_integers",
              [](const Kernels& kernels, Arrays& a) {
                kernels.quantize_to_integers(a.source.data(), a.narrow.data(), a.size(),
                                             vector::grid_of(kFormat), nullptr);
              },
              reference_pass<Rounding::nearest>},
    PassEntry{"quantize_add",
              [](const Kernels& kernels, Arrays& a) {
                const vector::Sequence random = vector::sequence_of(kKey, 0);
                kernels.quantize_add32(a.source.data(), a.narrow.data(), a.size(), vector::grid_of(kFormat),
                                       &random);
              },
              reference_pass<Rounding::stochastic>},
    PassEntry{"add_exact",
              [](const Kernels& kernels, Arrays& a) {
                kernels.add_exact(a.source.data(), a.wide.data(), a.size(),
                                  std::ldexp(1.0, kExactFractionalLength), 0x1p62);
              },
              [](Arrays& a) { (void)reference::exact_integers(a.source, kExactFractionalLength, 1); }},
};

/// What this processor runs, behind the reference.
std::vector<std::string> available_sets() {
  std::vector<std::string> names = {kReference};
  for (const std::string_view name : vector::kInstructionSets) {
    if (vector::find_kernels(name) != nullptr) {
      names.emplace_back(name);
    }
  }
  return names;
}

class QuantizeBenchmark : public Benchmark {
 public:
  QuantizeBenchmark(const QuantizeBenchOptions& options, const mpi::Communicator& ranks)
      : names_(options.kernels),
        arrays_(static_cast<std::size_t>(options.elements)),
        timing_(options.timing),
        ranks_(ranks) {}

  BenchReport run() override {
    BenchReport report = {"quantize", "elements", "instruction_set", {}};
    for (const std::string& name : names_) {
      const PassEntry& pass = *std::find_if(kPasses.begin(), kPasses.end(),
                                            [&](const PassEntry& entry) { return entry.name == name; });
      report.groups.push_back(measure(pass));
    }
    return report;
  }

 private:
  std::vector<BenchResult> measure(const PassEntry& pass) {
    const std::vector<std::string> sets = available_sets();
    std::vector<Contender> contenders;
    for (const std::string& set : sets) {
      contenders.push_back({[this, &pass, kernels = vector::find_kernels(set)](std::int64_t calls) {
                              repeat(pass, kernels, calls);
                            },
                            {}});
    }
    const std::vector<Timing> timings = time_in_turn(contenders, timing_, ranks_);
    std::vector<BenchResult> results;
    results.reserve(sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      results.push_back({{{"kernel", pass.name},
                          {"instruction_set", sets[i]},
                          {"elements", static_cast<std::int64_t>(arrays_.size())},
                          {"ranks", std::int64_t{ranks_.size()}}},
                         static_cast<double>(arrays_.size()) * ranks_.size(),
                         timings[i]});
    }
    return results;
  }

  /// `kernels` is null for the reference.
  void repeat(const PassEntry& pass, const Kernels* kernels, std::int64_t calls) {
    for (std::int64_t i = 0; i < calls; ++i) {
      if (i % kPassesPerSum == 0) {
        arrays_.clear_sums();
      }
      if (kernels == nullptr) {
        pass.slow(arrays_);
      } else {
        pass.fast(*kernels, arrays_);
      }
    }
  }

  std::vector<std::string> names_;
  Arrays arrays_;
  TimingOptions timing_;
  const mpi::Communicator& ranks_;
};

}  // namespace

std::vector<std::string> quantize_kernels() {
  std::vector<std::string> names;
  for (const PassEntry& pass : kPasses) {
    names.emplace_back(pass.name);
  }
  return names;
}

std::unique_ptr<Benchmark> make_quantize_benchmark(const QuantizeBenchOptions& options,
                                                   const mpi::Communicator& ranks) {
  return std::make_unique<QuantizeBenchmark>(options, ranks);
}

}  // namespace adapt
