#include "cli/sweep_summary.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/error.hpp"
#include "base/terminal.hpp"

namespace adapt::cli {
namespace {

constexpr std::size_t kShownFailures = 10;

std::string number_text(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string hours_text(double hours) {
  constexpr double kMinutes = 60;
  return hours < 1 ? number_text("%.0f min", hours * kMinutes) : number_text("%.1f h", hours);
}

/// A metric, 0 where there is none.
double or_zero(double value) { return std::isnan(value) ? 0 : value; }

void add(const IndexEntry& entry, const std::string& label, Summary& summary) {
  ++summary.states[entry.state];
  const double epochs = or_zero(entry.metric("epochs"));
  summary.epochs += epochs;
  if (entry.state != RunState::done && entry.state != RunState::failed && entry.state != RunState::pruned) {
    summary.epochs_to_do += std::atof(entry.value_of("training.epochs").c_str()) - epochs;
  }
  const double accuracy = entry.metric("best_test_accuracy");
  if (!std::isnan(accuracy) && (!summary.best || accuracy > summary.best->test_accuracy)) {
    summary.best = Summary::Run{entry.identity, label, accuracy};
  }
  if (!entry.reason.empty() && entry.state != RunState::done) {
    summary.failed.push_back(
        {entry.identity, label, state_name(entry.state), entry.reason, entry.nodes, entry.message});
    ++summary.nodes[entry.nodes.empty() ? "?" : entry.nodes][entry.reason];
  }
}

/// "2 oom, 1 nan".
std::string counts_text(const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += concat(text.empty() ? "" : ", ", count, " ", name);
  }
  return text;
}

}  // namespace

bool Summary::is_settled() const {
  const auto count = [&](RunState state) {
    const auto found = states.find(state);
    return found == states.end() ? 0 : found->second;
  };
  return count(RunState::planned) + count(RunState::running) + count(RunState::resumable) == 0;
}

Summary summary_of(const RunTable& table) {
  Summary summary;
  summary.runs = table.runs.size();
  for (std::size_t i = 0; i < table.runs.size(); ++i) {
    add(table.runs[i], table.labels[i], summary);
  }
  return summary;
}

Json to_json(const Summary& summary) {
  Json states = Json::object();
  for (const auto& [state, count] : summary.states) {
    add_member(states, state_name(state), count);
  }
  Json failed = Json::array();
  for (const Summary::Failed& run : summary.failed) {
    failed.push_back({{"identity", run.identity},
                      {"label", run.label},
                      {"state", run.state},
                      {"reason", run.reason},
                      {"nodes", run.nodes},
                      {"message", run.message}});
  }
  Json nodes = Json::object();
  for (const auto& [node, reasons] : summary.nodes) {
    Json counts = Json::object();
    for (const auto& [reason, count] : reasons) {
      add_member(counts, reason, count);
    }
    add_member(nodes, node, std::move(counts));
  }
  Json best;
  if (summary.best) {
    best = {{"identity", summary.best->identity},
            {"label", summary.best->label},
            {"test_accuracy", summary.best->test_accuracy}};
  }
  return {{"runs", summary.runs},     {"states", std::move(states)},
          {"epochs", summary.epochs}, {"epochs_to_do", summary.epochs_to_do},
          {"best", std::move(best)},  {"failed", std::move(failed)},
          {"nodes", std::move(nodes)}};
}

void Pace::note(const Summary& summary) {
  if (!start_) {
    start_ = Clock::now();
    first_ = summary.epochs;
  }
  last_ = summary.epochs;
  passed_ = Clock::now() - *start_;
}

std::optional<double> Pace::epochs_per_hour() const {
  const std::chrono::duration<double, std::ratio<3600>> hours = passed_;
  return last_ > first_ && hours.count() > 0 ? std::optional((last_ - first_) / hours.count()) : std::nullopt;
}

void print_summary(const Summary& summary, const Pace& pace) {
  std::string text = concat(summary.runs, " runs");
  const char* separator = ": ";
  for (const auto& [state, count] : summary.states) {
    text += concat(separator, count, " ", state_name(state));
    separator = ", ";
  }
  print_line(text);
  const std::optional<double> rate = pace.epochs_per_hour();
  print_line(concat("epochs: ", summary.epochs, " done, ", summary.epochs_to_do, " to do",
                    rate ? concat(", ", number_text("%.3g", *rate), " an hour, ",
                                  hours_text(summary.epochs_to_do / *rate), " left")
                         : std::string()));
  if (summary.best) {
    print_line(concat("best so far: ", number_text("%.4f", summary.best->test_accuracy), "  ",
                      summary.best->identity, "  ", summary.best->label));
  }
  print_failures(summary);
  for (std::size_t i = 0; i < summary.failed.size() && i < kShownFailures; ++i) {
    const Summary::Failed& run = summary.failed[i];
    print_line(concat("  ", run.state, " ", run.identity, "  ", run.label, ": ", run.message));
  }
  if (summary.failed.size() > kShownFailures) {
    print_line(concat("  and ", summary.failed.size() - kShownFailures, " more"));
  }
}

void print_failures(const Summary& summary) {
  if (summary.failed.empty()) {
    return;
  }
  std::map<std::string, int> reasons;
  std::string nodes;
  for (const Summary::Failed& run : summary.failed) {
    ++reasons[run.reason];
  }
  for (const auto& [node, counts] : summary.nodes) {
    nodes += concat(nodes.empty() ? "" : "; ", node, " (", counts_text(counts), ")");
  }
  print_line(concat("failed or interrupted: ", counts_text(reasons), "; on ", nodes));
}

}  // namespace adapt::cli
