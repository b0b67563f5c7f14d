#include "bench/report.hpp"

#include "base/json.hpp"

namespace adapt {
namespace {

Json labels_of(const BenchResult& result) {
  Json json = Json::object();
  for (const auto& [name, value] : result.labels) {
    std::visit([&json, &name = name](const auto& item) { json[name] = item; }, value);
  }
  return json;
}

Json spread_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.minimum}, {"max", spread.maximum}};
}

Json result_json(const BenchReport& report, const BenchResult& result) {
  Json json = labels_of(result);
  json[report.unit + "_per_second"] = items_per_second(result);
  json["seconds"] = spread_json(spread_of(result.timing.seconds));
  json["repeats"] = result.timing.seconds.size();
  for (const Part& part : result.timing.parts) {
    json[part.group][part.name] = part.seconds;
  }
  for (const PartWork& part : result.work) {
    json["work"][part.group][part.name] = {{"operations", part.operations}, {"bytes", part.bytes}};
  }
  return json;
}

Json ratio_json(const BenchReport& report, const BenchResult& result, const BenchResult& first) {
  Json json = labels_of(result);
  json["against"] = label_text(first, report.contestant);
  json["ratio"] = items_per_second(result) / items_per_second(first);
  json["rounds"] = spread_json(ratio_rounds(result, first));
  return json;
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
  Json results = Json::array();
  Json ratios = Json::array();
  for (const auto& group : report.groups) {
    for (std::size_t i = 0; i < group.size(); ++i) {
      results.push_back(result_json(report, group[i]));
      if (i > 0) {
        ratios.push_back(ratio_json(report, group[i], group.front()));
      }
    }
  }
  return json_text({{"benchmark", report.benchmark}, {"results", results}, {"ratios", ratios}});
}

}  // namespace adapt
