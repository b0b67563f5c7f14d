#include <algorithm>
#include <array>
#include <cstdio>

#include "base/error.hpp"
#include "bench/report.hpp"

namespace adapt {
namespace {

using Row = std::vector<std::string>;

std::string number(const char* format, double value) {
  std::array<char, 48> text = {};
  const int length = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), std::min(static_cast<std::size_t>(length), text.size() - 1)};
}

/// Small times in their own unit stay readable: three digits at least.
std::string milliseconds(double seconds) { return number(seconds < 1e-3 ? "%.4f" : "%.3f", 1e3 * seconds); }

/// Rows under their head, columns as wide as needed; the first `left` columns are text, the others numbers.
std::string aligned(const std::vector<Row>& rows, std::size_t left) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - row[i].size(), ' ');
      line.append(i == 0 ? 0 : 2, ' ').append(i < left ? row[i] + blanks : blanks + row[i]);
    }
    text.append(line, 0, line.find_last_not_of(' ') + 1).append(1, '\n');
  }
  return text;
}

std::string rates(const BenchReport& report) {
  Row head;
  for (const auto& label : report.groups.front().front().labels) {
    head.push_back(label.first);
  }
  const std::size_t labels = head.size();
  for (const char* name : {"/s", "ms median", "min", "max", "ratio", "rounds"}) {
    head.push_back(name[0] == '/' ? report.unit + name : name);
  }
  std::vector<Row> rows = {head};
  for (const auto& group : report.groups) {
    for (const BenchResult& result : group) {
      Row row;
      for (const auto& label : result.labels) {
        row.push_back(label_text(result, label.first));
      }
      const Spread seconds = spread_of(result.timing.seconds);
      const Spread rounds = ratio_rounds(result, group.front());
      row.push_back(number("%.4g", items_per_second(result)));
      row.push_back(milliseconds(seconds.median));
      row.push_back(milliseconds(seconds.minimum));
      row.push_back(milliseconds(seconds.maximum));
      row.push_back(number("%.3f", items_per_second(result) / items_per_second(group.front())));
      row.push_back(concat(number("%.3f", rounds.minimum), "-", number("%.3f", rounds.maximum)));
      rows.push_back(row);
    }
  }
  return aligned(rows, labels);
}

bool same_part(const Part& a, const Part& b) { return a.group == b.group && a.name == b.name; }

const Part* find(const BenchResult& result, const Part& wanted) {
  for (const Part& part : result.timing.parts) {
    if (same_part(part, wanted)) {
      return &part;
    }
  }
  return nullptr;
}

/// The parts of all contenders, each once, group after group; in the order of the contender that has most.
std::vector<Part> all_parts(const std::vector<BenchResult>& group) {
  std::vector<Part> all = std::max_element(group.begin(), group.end(), [](const auto& a, const auto& b) {
                            return a.timing.parts.size() < b.timing.parts.size();
                          })->timing.parts;
  for (const BenchResult& result : group) {
    for (const Part& part : result.timing.parts) {
      const bool known =
          std::any_of(all.begin(), all.end(), [&](const Part& other) { return same_part(part, other); });
      if (!known) {
        const auto last = std::find_if(all.rbegin(), all.rend(),
                                       [&](const Part& other) { return part.group == other.group; });
        all.insert(last == all.rend() ? all.end() : last.base(), part);
      }
    }
  }
  return all;
}

/// Milliseconds per call and share of the call, a column for each contender.
std::string split(const BenchReport& report, const std::vector<BenchResult>& group) {
  std::vector<Row> rows;
  std::string text;
  const std::vector<Part> parts = all_parts(group);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (rows.empty()) {
      rows.push_back({parts[i].group + " (ms)"});
      for (const BenchResult& result : group) {
        rows.back().insert(rows.back().end(), {label_text(result, report.contestant), "%"});
      }
    }
    rows.push_back({parts[i].name});
    for (const BenchResult& result : group) {
      const Part* part = find(result, parts[i]);
      const double share = part == nullptr ? 0 : part->seconds / spread_of(result.timing.seconds).median;
      rows.back().push_back(part == nullptr ? "-" : milliseconds(part->seconds));
      rows.back().push_back(part == nullptr ? "-" : number("%.1f", 100 * share));
    }
    if (i + 1 == parts.size() || parts[i].group != parts[i + 1].group) {
      text.append("\n").append(aligned(rows, 1));
      rows.clear();
    }
  }
  return text;
}

}  // namespace

std::string bench_table(const BenchReport& report) {
  std::string text = rates(report);
  for (const auto& group : report.groups) {
    text += split(report, group);
  }
  return text;
}

}  // namespace adapt
