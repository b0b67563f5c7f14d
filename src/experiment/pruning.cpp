#include "experiment/pruning.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "record/run_file.hpp"

namespace adapt {
namespace {

constexpr const char* kRungs = "rungs";

bool is_better(PruneMetric metric, double a, double b) {
  return metric == PruneMetric::test_accuracy ? a > b : a < b;
}

double value_of(PruneMetric metric, const EpochRecord& epoch) {
  switch (metric) {
    case PruneMetric::test_accuracy:
      return epoch.test_accuracy;
    case PruneMetric::test_loss:
      return epoch.test_loss;
    case PruneMetric::train_loss:
      break;
  }
  return epoch.train_loss;
}

void write(const std::filesystem::path& run_dir, const RungNote& note) {
  Json results = Json::array();
  for (const RungResult& result : note.results) {
    results.push_back({{"epoch", result.epoch}, {"value", result.value}});
  }
  const std::string text =
      json_text({{"metric", note.metric}, {"results", std::move(results)}, {"stopped", note.stopped}});
  Folder(run_dir, Folder::Links::refused).write(kRungs, std::as_bytes(std::span(text)));
}

double number_of(const Json& json, const char* name) {
  const Json* value = find_member(json, name);
  return value != nullptr && value->is_number() ? value->get<double>() : 0;
}

/// The epoch to train to from rung `passed` on; 0: the end.
int rung_after(const Pruning& pruning, std::size_t passed) {
  return passed < pruning.rungs.size() ? pruning.rungs[passed] : 0;
}

/// Decides for one state of the store.
class Decision {
 public:
  Decision(const Pruning& pruning, const std::vector<Contender>& contenders)
      : pruning_(pruning), contenders_(contenders) {}

  [[nodiscard]] std::optional<Assignment> next() const {
    if (const auto begun = first_in(RunState::resumable)) {
      return go_on(*begun);
    }
    for (std::size_t rung = pruning_.rungs.size(); rung-- > 0;) {
      const std::vector<std::size_t> ranking = ranking_at(rung);
      if (const auto best =
              promotable(ranking, rung, ranking.size() / static_cast<std::size_t>(pruning_.eta))) {
        return go_on(*best);
      }
    }
    if (const auto fresh = first_in(RunState::planned)) {
      return go_on(*fresh);
    }
    return first_in(RunState::running) ? std::nullopt : last_resort();
  }

 private:
  [[nodiscard]] Assignment go_on(std::size_t run) const {
    return {run, rung_after(pruning_, contenders_[run].results.size())};
  }

  [[nodiscard]] std::optional<std::size_t> first_in(RunState state) const {
    for (std::size_t i = 0; i < contenders_.size(); ++i) {
      if (contenders_[i].state == state) {
        return i;
      }
    }
    return std::nullopt;
  }

  /// The runs with a result at a rung, the best first; of equals the first.
  [[nodiscard]] std::vector<std::size_t> ranking_at(std::size_t rung) const {
    std::vector<std::size_t> ranking;
    for (std::size_t i = 0; i < contenders_.size(); ++i) {
      if (contenders_[i].results.size() > rung) {
        ranking.push_back(i);
      }
    }
    std::ranges::stable_sort(ranking, [&](std::size_t a, std::size_t b) {
      return is_better(pruning_.metric, contenders_[a].results[rung].value,
                       contenders_[b].results[rung].value);
    });
    return ranking;
  }

  /// The first of the best `count` that still waits at the rung.
  [[nodiscard]] std::optional<std::size_t> promotable(const std::vector<std::size_t>& ranking,
                                                      std::size_t rung, std::size_t count) const {
    for (std::size_t place = 0; place < std::min(count, ranking.size()); ++place) {
      const Contender& run = contenders_[ranking[place]];
      if (run.state == RunState::pruned && run.results.size() == rung + 1) {
        return ranking[place];
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Assignment> last_resort() const {
    if (first_in(RunState::done)) {
      return std::nullopt;
    }
    for (std::size_t rung = pruning_.rungs.size(); rung-- > 0;) {
      const std::vector<std::size_t> ranking = ranking_at(rung);
      if (const auto best = promotable(ranking, rung, ranking.size())) {
        return go_on(*best);
      }
    }
    return std::nullopt;
  }

  const Pruning& pruning_;
  const std::vector<Contender>& contenders_;
};

/// What pruning knows of a run. Results at other epochs than the rungs, of an earlier grid, do not count.
Contender contender_of(const RunStore& store, const std::string& identity, const Pruning& pruning) {
  Contender contender{store.state(identity), {}};
  const std::optional<RungNote> note = rungs_of(store.folder(identity));
  if (note && note->metric == name_of(pruning.metric)) {
    for (const int rung : pruning.rungs) {
      const auto found =
          std::ranges::find_if(note->results, [&](const RungResult& result) { return result.epoch == rung; });
      if (found == note->results.end()) {
        break;
      }
      contender.results.push_back(*found);
    }
  }
  return contender;
}

}  // namespace

Json to_json(const Pruning& pruning) {
  return {{"metric", name_of(pruning.metric)}, {"eta", pruning.eta}, {"rungs", pruning.rungs}};
}

std::optional<Pruning> pruning_from(const Json& json) {
  const auto metric = find_named<PruneMetric>(text_of(json, "metric"));
  const std::int64_t eta = integer_of(json, "eta").value_or(0);
  const Json* rungs = find_member(json, "rungs");
  if (!metric || eta < 2 || rungs == nullptr || !rungs->is_array()) {
    return std::nullopt;
  }
  Pruning pruning{*metric, static_cast<int>(eta), {}};
  for (const Json& rung : *rungs) {
    pruning.rungs.push_back(rung.is_number_integer() ? rung.get<int>() : 0);
  }
  return pruning;
}

std::optional<RungNote> rungs_of(const std::filesystem::path& run_dir) {
  const std::filesystem::path path = run_dir / kRungs;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  try {
    const Json json = parse_json(read_text(path, kSmallFile), path.string());
    RungNote note{text_of(json, "metric"), {}, text_of(json, "stopped") == "true"};
    if (const Json* results = find_member(json, "results")) {
      for (const Json& result : *results) {
        note.results.push_back({integer_of(result, "epoch").value_or(0), number_of(result, "value")});
      }
    }
    return note;
  } catch (const BadInput&) {
    return std::nullopt;
  }
}

void note_rung(const std::filesystem::path& run_dir, PruneMetric metric, std::int64_t epoch) {
  RunReader reader;
  const RunFile file(run_dir, RunParts::overview, reader);
  const std::vector<EpochRecord>& epochs = file.epochs();
  const auto found =
      std::ranges::find_if(epochs, [&](const EpochRecord& record) { return record.epoch == epoch; });
  if (found == epochs.end()) {
    return;  // it was stopped before
  }
  const std::string name(name_of(metric));
  RungNote note = rungs_of(run_dir).value_or(RungNote{name, {}, false});
  if (note.metric != name) {
    note = {name, {}, false};
  }
  std::erase_if(note.results, [&](const RungResult& result) { return result.epoch >= epoch; });
  note.results.push_back({epoch, value_of(metric, *found)});
  note.stopped = true;
  write(run_dir, note);
}

void note_promotion(const std::filesystem::path& run_dir) {
  std::optional<RungNote> note = rungs_of(run_dir);
  if (note && note->stopped) {
    note->stopped = false;
    write(run_dir, *note);
  }
}

std::optional<Assignment> next_assignment(const Pruning& pruning, const std::vector<Contender>& contenders) {
  return Decision(pruning, contenders).next();
}

std::function<std::optional<GridRun>()> pruned_work(const RunStore& store, std::vector<GridRun> runs,
                                                    const Pruning& pruning,
                                                    const std::function<void(GridRun&)>& read) {
  // What was given once, and got nowhere, is for somebody else to try, or for later.
  std::set<std::pair<std::string, std::size_t>> given;
  return [&store, runs = std::move(runs), pruning, read, given]() mutable -> std::optional<GridRun> {
    std::vector<Contender> contenders;
    for (const GridRun& run : runs) {
      Contender& contender = contenders.emplace_back(contender_of(store, run.identity, pruning));
      const bool again = given.count({run.identity, contender.results.size()}) != 0;
      const bool is_over = contender.state == RunState::done || contender.state == RunState::running;
      contender.state = again && !is_over ? RunState::failed : contender.state;
    }
    while (const std::optional<Assignment> next = next_assignment(pruning, contenders)) {
      Contender& contender = contenders[next->run];
      GridRun run = runs[next->run];
      given.emplace(run.identity, contender.results.size());
      if (!obstacle_to([&] { read(run); })) {
        run.until = next->until >= run.configuration.training.epochs ? 0 : next->until;
        return run;
      }
      contender.state = RunState::failed;
    }
    return std::nullopt;
  };
}

}  // namespace adapt
