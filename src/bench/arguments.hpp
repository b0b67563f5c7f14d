#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/timing.hpp"

namespace adapt {

/// An option of a benchmark, "--batch 256".
struct BenchOption {
  std::string name;
  std::string standard;  ///< value when it is not given
  std::string meaning;
};

/// The options of a benchmark as text, complete. Accessors throw BadInput that names the option, what was
/// expected and what was found.
class BenchArguments {
 public:
  explicit BenchArguments(std::map<std::string, std::string> values) : values_(std::move(values)) {}

  /// An integer low..high.
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t low, std::int64_t high) const;
  /// Such integers between commas, at least one.
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& name, std::int64_t low,
                                                   std::int64_t high) const;
  /// A number above 0, at most `high`.
  [[nodiscard]] double positive(const std::string& name, double high) const;
  /// Names between commas, at least one, none twice, each one of `known`.
  [[nodiscard]] std::vector<std::string> names(const std::string& name,
                                               const std::vector<std::string>& known) const;
  /// The same, but a name may be repeated.
  [[nodiscard]] std::vector<std::string> list(const std::string& name,
                                              const std::vector<std::string>& known) const;
  /// --repeats and --seconds.
  [[nodiscard]] TimingOptions timing() const;

 private:
  [[nodiscard]] const std::string& text(const std::string& name) const;

  std::map<std::string, std::string> values_;
};

/// Adds --repeats and --seconds (standard value `seconds`), which all benchmarks have.
std::vector<BenchOption> with_timing_options(std::vector<BenchOption> options, const std::string& seconds);

}  // namespace adapt
