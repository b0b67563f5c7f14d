#include <algorithm>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "bench/benchmark.hpp"
#include "exchange/algorithm_choice.hpp"
#include "exchange/encoding.hpp"

namespace adapt {
namespace {

/// Range of the layer's format: gradients are normal numbers, which stay within eight standard deviations.
constexpr int kIntegerBits = 4;  // sign included

/// One encoding at one size: contender and its clocks.
class Exchange {
 public:
  Exchange(Encoding encoding, std::int64_t elements, const ExchangeBenchOptions& options,
           const AlgorithmChoice& algorithms, const mpi::Communicator& ranks)
      : shards_(options.shards),
        ranks_(ranks),
        encoding_(make_encoding(
            encoding, {{"gradient", static_cast<std::size_t>(elements), 0, true}}, options.shards,
            {.algorithm =
                 algorithms.of({static_cast<std::size_t>(elements)}, entry_of(encoding).usual_bits)})),
        gradient_(static_cast<std::size_t>(elements)),
        mean_(gradient_.size()) {
    RandomSequence random({.seed = 1, .shard = static_cast<std::uint32_t>(ranks.rank())});
    std::ranges::generate(gradient_, [&] { return static_cast<float>(random.normal()); });
    plan_.layers.resize(1);
    plan_.layers[0].gradients = FixedFormat{options.word_length, options.word_length - kIntegerBits};
  }

  void run(std::int64_t calls) {
    for (std::int64_t call = 0; call < calls; ++call) {
      Stopwatch watch;
      encoding_->begin({.seed = 1, .step = ++step_, .plan = &plan_});
      for (int shard = ranks_.rank(); shard < shards_; shard += ranks_.size()) {
        encoding_->add(0, static_cast<std::uint32_t>(shard), gradient_);
      }
      encode_ += watch.lap();
      encoding_->reduce(ranks_);
      exchange_ += watch.lap();
      encoding_->mean(0, 0, mean_);
      decode_ += watch.lap();
    }
  }

  [[nodiscard]] std::vector<Part> parts() const {
    return {{"phases", "encode", encode_}, {"phases", "exchange", exchange_}, {"phases", "decode", decode_}};
  }
  /// Of the last call, on this rank.
  [[nodiscard]] std::int64_t bytes() const { return encoding_->bytes(); }
  [[nodiscard]] std::int64_t messages() const { return encoding_->messages(); }

 private:
  int shards_;
  const mpi::Communicator& ranks_;
  std::unique_ptr<GradientEncoding> encoding_;
  std::vector<float> gradient_;  // of every shard of this rank
  std::vector<float> mean_;
  PrecisionPlan plan_;
  std::uint32_t step_ = 0;
  double encode_ = 0;
  double exchange_ = 0;
  double decode_ = 0;
};

class ExchangeBenchmark : public Benchmark {
 public:
  ExchangeBenchmark(const ExchangeBenchOptions& options, const mpi::Communicator& ranks)
      : options_(options), ranks_(ranks), algorithms_({.algorithm = options.algorithm}, ranks) {}

  BenchReport run() override {
    BenchReport report = {"exchange", "elements", "encoding", {}};
    for (const std::int64_t elements : options_.elements) {
      report.groups.push_back(measure(elements));
    }
    return report;
  }

 private:
  std::vector<BenchResult> measure(std::int64_t elements) {
    std::vector<std::unique_ptr<Exchange>> exchanges;
    std::vector<Contender> contenders;
    for (const Encoding encoding : options_.encodings) {
      exchanges.push_back(std::make_unique<Exchange>(encoding, elements, options_, algorithms_, ranks_));
      Exchange& exchange = *exchanges.back();
      contenders.push_back({[&exchange](std::int64_t calls) { exchange.run(calls); },
                            [&exchange] { return exchange.parts(); }});
    }
    const std::vector<Timing> timings = time_in_turn(contenders, options_.timing, ranks_);
    std::vector<BenchResult> results;
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      results.push_back({{{"encoding", std::string(name_of(options_.encodings[i]))},
                          {"elements", elements},
                          {"shards", std::int64_t{options_.shards}},
                          {"word_length", std::int64_t{options_.word_length}},
                          {"ranks", std::int64_t{ranks_.size()}},
                          {"bytes_sent", exchanges[i]->bytes()},
                          {"messages_sent", exchanges[i]->messages()}},
                         static_cast<double>(elements),
                         timings[i]});
    }
    return results;
  }

  ExchangeBenchOptions options_;
  const mpi::Communicator& ranks_;
  AlgorithmChoice algorithms_;
};

}  // namespace

std::unique_ptr<Benchmark> make_exchange_benchmark(const ExchangeBenchOptions& options,
                                                   const mpi::Communicator& ranks) {
  if (options.shards < ranks.size()) {
    throw BadInput(concat("--shards is ", options.shards, ", but there are ", ranks.size(),
                          " ranks; expected at least a shard for each"));
  }
  return std::make_unique<ExchangeBenchmark>(options, ranks);
}

}  // namespace adapt
