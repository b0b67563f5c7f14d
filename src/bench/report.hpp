#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bench/timing.hpp"

namespace adapt {

/// What a part of a call has to do at least, over all ranks.
struct PartWork {
  std::string group;  ///< as of Part
  std::string name;
  double operations = 0;
  double bytes = 0;
};

/// What one contender is and how fast it was.
struct BenchResult {
  using Value = std::variant<std::string, std::int64_t>;
  /// What was timed, in the order of the report: {"model", "lenet5"}, {"batch", 256}, ...
  std::vector<std::pair<std::string, Value>> labels;
  double items = 1;  ///< images, elements, ... in one call
  Timing timing;
  std::vector<PartWork> work = {};  ///< of parts whose work is known; may be empty
};

/// Contenders that ran in turn; ratios are taken against the first.
struct BenchReport {
  std::string benchmark;   ///< "step"
  std::string unit;        ///< of items: "images"
  std::string contestant;  ///< the label by which the contenders of a group differ: "engine"
  std::vector<std::vector<BenchResult>> groups;
};

/// Median over the repetitions.
double items_per_second(const BenchResult& result);

/// The quotient of both rates within each round.
Spread ratio_rounds(const BenchResult& result, const BenchResult& first);

/// A label's value as text; empty where there is none of that name.
std::string label_text(const BenchResult& result, const std::string& name);

/// {"benchmark", "results": [{labels, "<unit>_per_second", "seconds": {"median", "min", "max"} per call,
/// "repeats", a member per group of parts, "work" if known: {group: {part: {"operations", "bytes"}}}}],
/// "ratios": [{labels, "against", "ratio", "rounds"}]}. "ratio" is the quotient of two rates, "rounds" is
/// ratio_rounds.
std::string bench_json(const BenchReport& report);

/// The same for readers: a table of rates, then one table for each group of parts.
std::string bench_table(const BenchReport& report);

}  // namespace adapt
