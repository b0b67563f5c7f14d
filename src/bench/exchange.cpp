#include <algorithm>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "bench/benchmark.hpp"
#include "exchange/encoding.hpp"

namespace adapt {
namespace {

/// Range of the layer's format: gradients are normal numbers, which stay within eight standard deviations.
constexpr int kIntegerBits = 4;  // sign included

struct ExchangeArguments {
  std::vector<std::string> encodings;
  std::vector<std::int64_t> elements;
  int shards = 0;
  int word_length = 0;
  TimingOptions timing;
};

ExchangeArguments parse(const BenchArguments& arguments, const mpi::Communicator& ranks) {
  ExchangeArguments parsed;
  parsed.encodings = arguments.names("encoding", names_of<Encoding>());
  parsed.elements = arguments.integers("elements", 1, 1 << 28);
  parsed.shards = static_cast<int>(arguments.integer("shards", 1, 4096));
  parsed.word_length = static_cast<int>(arguments.integer("word-length", 2, 32));
  parsed.timing = arguments.timing();
  if (parsed.shards < ranks.size()) {
    throw BadInput(concat("--shards is ", parsed.shards, ", but there are ", ranks.size(),
                          " ranks; expected at least a shard for each"));
  }
  return parsed;
}

/// One encoding at one size: contender and its clocks.
class Exchange {
 public:
  Exchange(const std::string& encoding, std::int64_t elements, const ExchangeArguments& arguments,
           const mpi::Communicator& ranks)
      : shards_(arguments.shards),
        ranks_(ranks),
        encoding_(make_encoding(*find_named<Encoding>(encoding),
                                {{"gradient", static_cast<std::size_t>(elements), 0, true}},
                                arguments.shards)),
        gradient_(static_cast<std::size_t>(elements)),
        mean_(gradient_.size()) {
    RandomSequence random({.seed = 1, .shard = static_cast<std::uint32_t>(ranks.rank())});
    std::ranges::generate(gradient_, [&] { return static_cast<float>(random.normal()); });
    plan_.layers.resize(1);
    plan_.layers[0].gradients = FixedFormat{arguments.word_length, arguments.word_length - kIntegerBits};
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
  ExchangeBenchmark(const ExchangeArguments& arguments, const mpi::Communicator& ranks)
      : arguments_(arguments), ranks_(ranks) {}

  BenchReport run() override {
    BenchReport report = {"exchange", "elements", "encoding", {}};
    for (const std::int64_t elements : arguments_.elements) {
      report.groups.push_back(measure(elements));
    }
    return report;
  }

 private:
  std::vector<BenchResult> measure(std::int64_t elements) {
    std::vector<std::unique_ptr<Exchange>> exchanges;
    std::vector<Contender> contenders;
    for (const std::string& encoding : arguments_.encodings) {
      exchanges.push_back(std::make_unique<Exchange>(encoding, elements, arguments_, ranks_));
      Exchange& exchange = *exchanges.back();
      contenders.push_back({[&exchange](std::int64_t calls) { exchange.run(calls); },
                            [&exchange] { return exchange.parts(); }});
    }
    const std::vector<Timing> timings = time_in_turn(contenders, arguments_.timing, ranks_);
    std::vector<BenchResult> results;
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      results.push_back({{{"encoding", arguments_.encodings[i]},
                          {"elements", elements},
                          {"shards", std::int64_t{arguments_.shards}},
                          {"word_length", std::int64_t{arguments_.word_length}},
                          {"ranks", std::int64_t{ranks_.size()}},
                          {"bytes_sent", exchanges[i]->bytes()}},
                         static_cast<double>(elements),
                         timings[i]});
    }
    return results;
  }

  ExchangeArguments arguments_;
  const mpi::Communicator& ranks_;
};

}  // namespace

BenchmarkEntry exchange_benchmark() {
  return {"exchange", "gradient exchange of one tensor: encodings in turn",
          with_timing_options(
              {
                  {"encoding", "float32,exact,layer,int16,int8",
                   "encodings, names between commas; ratios are against the first"},
                  {"elements", "1024,16384,262144,2097152", "sizes of the gradient, between commas"},
                  {"shards", "8", "virtual shards, over all ranks"},
                  {"word-length", "8", "bits of the format of 'layer'"},
              },
              "0.2"),
          [](const BenchArguments& arguments, const mpi::Communicator& ranks) -> std::unique_ptr<Benchmark> {
            return std::make_unique<ExchangeBenchmark>(parse(arguments, ranks), ranks);
          }};
}

}  // namespace adapt
