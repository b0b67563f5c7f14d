#include "bench/report.hpp"

#include "base/json.hpp"

namespace adapt {
namespace {

void write_labels(JsonWriter& json, const BenchResult& result) {
  for (const auto& [name, value] : result.labels) {
    std::visit([&json, &name = name](const auto& item) { json.member(name, item); }, value);
  }
}

void write_spread(JsonWriter& json, const char* name, const Spread& spread) {
  json.key(name).begin_object();
  json.member("median", spread.median).member("min", spread.minimum).member("max", spread.maximum);
  json.end_object();
}

/// Parts of a group stand next to each other.
void write_parts(JsonWriter& json, const std::vector<Part>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i == 0 || parts[i].group != parts[i - 1].group) {
      json.key(parts[i].group).begin_object();
    }
    json.member(parts[i].name, parts[i].seconds);
    if (i + 1 == parts.size() || parts[i].group != parts[i + 1].group) {
      json.end_object();
    }
  }
}

/// Work of a group stands next to each other.
void write_work(JsonWriter& json, const std::vector<PartWork>& work) {
  json.key("work").begin_object();
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (i == 0 || work[i].group != work[i - 1].group) {
      json.key(work[i].group).begin_object();
    }
    json.key(work[i].name).begin_object();
    json.member("operations", work[i].operations).member("bytes", work[i].bytes).end_object();
    if (i + 1 == work.size() || work[i].group != work[i + 1].group) {
      json.end_object();
    }
  }
  json.end_object();
}

void write_result(JsonWriter& json, const BenchReport& report, const BenchResult& result) {
  json.begin_object();
  write_labels(json, result);
  json.member(report.unit + "_per_second", items_per_second(result));
  write_spread(json, "seconds", spread_of(result.timing.seconds));
  json.member("repeats", static_cast<std::int64_t>(result.timing.seconds.size()));
  write_parts(json, result.timing.parts);
  if (!result.work.empty()) {
    write_work(json, result.work);
  }
  json.end_object();
}

void write_ratio(JsonWriter& json, const BenchReport& report, const BenchResult& result,
                 const BenchResult& first) {
  json.begin_object();
  write_labels(json, result);
  json.member("against", label_text(first, report.contestant));
  json.member("ratio", items_per_second(result) / items_per_second(first));
  write_spread(json, "rounds", ratio_rounds(result, first));
  json.end_object();
}

}  // namespace

double items_per_second(const BenchResult& result) {
  std::vector<double> rates;
  for (const double seconds : result.timing.seconds) {
    rates.push_back(result.items / seconds);
  }
  return spread_of(rates).median;
}

Spread ratio_rounds(const BenchResult& result, const BenchResult& first) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < result.timing.seconds.size(); ++i) {
    const double own = result.items / result.timing.seconds[i];
    ratios.push_back(own / (first.items / first.timing.seconds[i]));
  }
  return spread_of(ratios);
}

std::string label_text(const BenchResult& result, const std::string& name) {
  for (const auto& [label, value] : result.labels) {
    if (label != name) {
      continue;
    }
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr ? *text : std::to_string(std::get<std::int64_t>(value));
  }
  return {};
}

std::string bench_json(const BenchReport& report) {
  JsonWriter json;
  json.begin_object().member("benchmark", report.benchmark).key("results").begin_array();
  for (const auto& group : report.groups) {
    for (const BenchResult& result : group) {
      write_result(json, report, result);
    }
  }
  json.end_array().key("ratios").begin_array();
  for (const auto& group : report.groups) {
    for (std::size_t i = 1; i < group.size(); ++i) {
      write_ratio(json, report, group[i], group.front());
    }
  }
  return json.end_array().end_object().text();
}

}  // namespace adapt
