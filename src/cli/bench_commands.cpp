#include "cli/bench_commands.hpp"

#include <optional>
#include <utility>

#include "base/names.hpp"
#include "base/option_text.hpp"
#include "nn/models.hpp"
#include "numerics/quantize.hpp"

namespace adapt::cli {
namespace {

constexpr const char* kAuto = "auto";
constexpr int kMostImages = 1 << 16;
constexpr int kMostThreads = 1024;

std::string with_commas(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ",") + word;
  }
  return text;
}

// Options that set a member, whose value is the standard one. The member must live as long as the option.

template <class Integer>
BenchOption integer(const std::string& name, Integer& member, std::int64_t low, std::int64_t high,
                    const std::string& meaning) {
  return {name, std::to_string(member), meaning, [=, &member](const std::string& text) {
            member = static_cast<Integer>(option_integer(name, text, low, high));
          }};
}

BenchOption integers(const std::string& name, std::vector<std::int64_t>& member, std::int64_t low,
                     std::int64_t high, const std::string& meaning) {
  std::vector<std::string> standard;
  standard.reserve(member.size());
  for (const std::int64_t value : member) {
    standard.push_back(std::to_string(value));
  }
  return {name, with_commas(standard), meaning,
          [=, &member](const std::string& text) { member = option_integers(name, text, low, high); }};
}

BenchOption words(const std::string& name, std::vector<std::string>& member,
                  const std::vector<std::string>& known, const std::string& meaning) {
  return {name, with_commas(member), meaning,
          [=, &member](const std::string& text) { member = option_distinct_names(name, text, known); }};
}

/// Values of an enumeration, none twice.
template <HasNames Value>
BenchOption values(const std::string& name, std::vector<Value>& member, const std::string& meaning) {
  std::vector<std::string> standard;
  standard.reserve(member.size());
  for (const Value value : member) {
    standard.emplace_back(name_of(value));
  }
  return {name, with_commas(standard), meaning, [=, &member](const std::string& text) {
            member.clear();
            for (const std::string& word : option_distinct_names(name, text, names_of<Value>())) {
              member.push_back(*find_named<Value>(word));
            }
          }};
}

/// Values of an enumeration, or "auto", which is the standard.
template <HasNames Value>
BenchOption open_values(const std::string& name, std::vector<std::optional<Value>>& member,
                        const std::string& meaning) {
  return {name, kAuto, meaning, [=, &member](const std::string& text) {
            std::vector<std::string> known = names_of<Value>();
            known.emplace_back(kAuto);
            member.clear();
            for (const std::string& word : option_names(name, text, known)) {
              member.push_back(find_named<Value>(word));
            }
          }};
}

template <HasNames Value>
BenchOption open_value(const std::string& name, std::optional<Value>& member, const std::string& meaning) {
  return {name, kAuto, meaning, [=, &member](const std::string& text) {
            std::vector<std::string> known = names_of<Value>();
            known.emplace_back(kAuto);
            member = find_named<Value>(option_name(name, text, known));
          }};
}

template <HasNames Value>
BenchOption value(const std::string& name, Value& member, const std::string& meaning) {
  return {name, std::string(name_of(member)), meaning, [=, &member](const std::string& text) {
            member = *find_named<Value>(option_name(name, text, names_of<Value>()));
          }};
}

BenchOption yes_or_no(const std::string& name, bool& member, const std::string& meaning) {
  return {name, member ? "yes" : "no", meaning, [=, &member](const std::string& text) {
            member = option_name(name, text, {"yes", "no"}) == "yes";
          }};
}

BenchOption seconds(double& member) {
  return {"seconds", concat(member), "about so long takes one repetition",
          [&member](const std::string& text) { member = option_positive("seconds", text, 3600); }};
}

/// A benchmark whose options `bind` lists.
template <class Options>
BenchCommand command(const char* name, const char* summary, MakeBenchmark<Options>* make,
                     std::vector<BenchOption> (*bind)(Options& options)) {
  const auto chosen = std::make_shared<Options>();
  std::vector<BenchOption> options = bind(*chosen);
  options.push_back(integer("repeats", chosen->timing.repeats, 1, 1000,
                            "repetitions of each contender, in turn; medians are reported"));
  options.push_back(seconds(chosen->timing.seconds));
  return {name, summary, std::move(options), &chosen->timing,
          [=](const mpi::Communicator& ranks) { return make(*chosen, ranks); }};
}

std::vector<BenchOption> step_options(StepBenchOptions& chosen) {
  return {
      words("model", chosen.models, model_names(), "models, names between commas"),
      values("engine", chosen.engines, "engines, names between commas; ratios are against the first"),
      open_values("policy", chosen.policies,
                  "precision policy of all engines, or one for each; auto: float32 for float32 and bfloat16, "
                  "adapt for emulated, fixed formats per tensor for integer"),
      integer("word-length", chosen.word_length, 1, kMaxWordLength,
              "bits of the fixed formats of engine integer"),
      value("backward", chosen.backward, "of engine integer: quantized, float32"),
      open_values("encoding", chosen.encodings,
                  "of the gradients that ranks exchange, one of all engines, or one for each"),
      open_value("algorithm", chosen.algorithm,
                 "by which integers are summed: auto, direct, tree, hierarchical"),
      value("rounding", chosen.rounding, "of activations: stochastic, nearest"),
      integer("batch", chosen.batch, 1, kMostImages, "images per step, over all ranks"),
      integer("shards", chosen.shards, 1, kMostImages, "virtual shards that the batch is cut into"),
      integer("threads", chosen.threads, 1, kMostThreads, "threads per rank; they take shards side by side"),
      yes_or_no("layers", chosen.layers, "yes: the time of each layer, too"),
  };
}

std::vector<BenchOption> infer_options(InferBenchOptions& chosen) {
  return {
      words("model", chosen.models, model_names(), "models, names between commas"),
      values("engine", chosen.engines, "engines, names between commas; ratios are against the first"),
      integer("batch", chosen.batch, 1, kMostImages, "images per call, over all ranks: each takes its part"),
      integer("threads", chosen.threads, 1, kMostThreads, "oneDNN threads per rank"),
      yes_or_no("layers", chosen.layers, "yes: the time of each layer, too"),
  };
}

std::vector<BenchOption> ceilings_options(CeilingsBenchOptions& chosen) {
  return {
      integer("size", chosen.size, 64, 8192, "rows and columns of the matrices that are multiplied"),
      integer("threads", chosen.threads, 1, kMostThreads, "oneDNN threads per rank (reading: one)"),
  };
}

constexpr std::int64_t kMostElements = 1 << 28;

std::vector<BenchOption> quantize_options(QuantizeBenchOptions& chosen) {
  return {
      words("kernel", chosen.kernels, quantize_kernels(), "kernels, names between commas"),
      integer("elements", chosen.elements, 1, kMostElements, "length of the arrays that each rank works on"),
  };
}

std::vector<BenchOption> exchange_options(ExchangeBenchOptions& chosen) {
  return {
      values("encoding", chosen.encodings, "encodings, names between commas; ratios are against the first"),
      integers("elements", chosen.elements, 1, kMostElements, "sizes of the gradient, between commas"),
      integer("shards", chosen.shards, 1, 4096, "virtual shards, over all ranks"),
      integer("word-length", chosen.word_length, 2, 32, "bits of the format of 'layer'"),
      open_value("algorithm", chosen.algorithm,
                 "by which integers are summed: auto, direct, tree, hierarchical"),
  };
}

}  // namespace

const std::vector<BenchCommand>& bench_commands() {
  static const std::vector<BenchCommand> commands = {
      command("step", "training steps on synthetic images held in memory, engines in turn",
              make_step_benchmark, step_options),
      command("infer", "the classification of synthetic images held in memory, engines in turn",
              make_infer_benchmark, infer_options),
      command("ceilings", "what this machine does at best: large products, reading memory and second cache",
              make_ceilings_benchmark, ceilings_options),
      command("quantize", "quantization kernels: instruction sets in turn, against the scalar reference",
              make_quantize_benchmark, quantize_options),
      command("exchange", "gradient exchange of one tensor: encodings in turn", make_exchange_benchmark,
              exchange_options),
  };
  return commands;
}

}  // namespace adapt::cli
