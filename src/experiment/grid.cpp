#include "experiment/grid.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/error.hpp"
#include "experiment/grid_axes.hpp"
#include "experiment/pruning_reader.hpp"
#include "experiment/reader.hpp"
#include "experiment/settings.hpp"
#include "experiment/slurm_reader.hpp"
#include "yaml/text.hpp"

namespace adapt {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr std::size_t kMostComparisons = 5000000;
constexpr std::size_t kMostBaseFiles = 100000;  ///< of all runs, each counted as often as it is read

/// The parts of a name that are no letters, digits, '.', '_' or '-' become '-'.
std::string file_name_text(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        return !plain && c != '.' && c != '_' && c != '-';
      },
      '-');
  return text;
}

/// How a value is called in labels and names: a base by its file's name.
std::string value_text(const std::string& key, const YAML::Node& node) {
  return key == "base" && node.IsScalar() ? std::filesystem::path(node.Scalar()).stem().string()
                                          : compact_text(node);
}

/// By key of a rule: what a run has for it.
using RuleValues = std::map<std::string, std::vector<std::string>>;

/// Whether one of a run's `texts` is one of those that the condition lists.
bool fits(const Exclusion::Condition& condition, const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
    return std::find(condition.texts.begin(), condition.texts.end(), text) != condition.texts.end();
  });
}

/// Expands one grid file.
class Expansion {
 public:
  Expansion(const std::filesystem::path& path, const std::vector<std::string>& overrides,
            const KnownNames& names)
      : path_(path), source_(path.string()), overrides_(overrides), base_(names) {
    root_ = parse_yaml(read_yaml_file(path), source_);
    check_root(root_, source_);
    check_keys(root_, "", source_);
    axes_ = read_axes(root_, source_);
    exclusions_ = read_exclusions(root_, source_, names);
    excluded_.assign(exclusions_.size(), false);
    for (const Exclusion& exclusion : exclusions_) {
      for (const Exclusion::Condition& condition : exclusion.conditions) {
        rule_keys_.insert(condition.key);
      }
    }
    others_.assign(std::begin(kGridKeys), std::end(kGridKeys));
  }

  Grid expand(const SlurmOptions& site) {
    grid_.slurm = site;
    check_comparisons(check_number());
    read_common();
    std::vector<std::size_t> at(axes_.size(), 0);
    do {
      add_run(at);
    } while (advance(at));
    check_result();
    return std::move(grid_);
  }

 private:
  /// How many runs there are before rules leave some out.
  [[nodiscard]] std::size_t check_number() const {
    std::size_t runs = 1;
    std::string factors;
    for (const Axis& axis : axes_) {
      runs = std::min(runs * axis.size(), std::size_t{1} << 40U);
      factors += concat(factors.empty() ? "" : " x ", axis.size(), " ", axis.keys.front());
    }
    if (runs > kMostGridRuns) {
      throw BadInput(concat(axes_.front().where, ": 'grid' makes ", runs, " runs (", factors,
                            "); expected at most ", kMostGridRuns));
    }
    return runs;
  }

  void check_comparisons(std::size_t runs) const {
    std::size_t values = 0;
    for (const Exclusion& exclusion : exclusions_) {
      for (const Exclusion::Condition& condition : exclusion.conditions) {
        values += std::max<std::size_t>(condition.texts.size(), 1);
      }
    }
    if (runs * values > kMostComparisons) {
      throw BadInput(concat(exclusions_.front().where, ": 'exclude': ", values,
                            " values to compare with each of ", runs, " runs; expected at most ",
                            kMostComparisons, " comparisons: fewer rules or runs"));
    }
  }

  /// What all runs share: the grid's own base, its keys (once more for a run with a base of its own), a name.
  void read_common() {
    for (const auto& entry : root_) {
      const std::string& key = entry.first.Scalar();
      if (key == "base") {
        base_.read_bases(entry.second, place(source_, entry.first), path_);
      }
      if (key == "slurm") {
        read_slurm_options(entry.second, key, source_, grid_.slurm);
      }
      if (key == "prune") {
        grid_.prune = read_pruning(entry.second, source_);
      }
      named_ = named_ || key == "name";
    }
    ConfigurationReader whole = base_;
    whole.read_mapping(root_, source_, others_);
    grid_.name = named_ ? whole.so_far().name : file_name_text(path_.stem().string());
  }

  /// The next position, the last axis fastest.
  bool advance(std::vector<std::size_t>& at) const {
    for (std::size_t axis = axes_.size(); axis-- > 0;) {
      if (++at[axis] < axes_[axis].size()) {
        return true;
      }
      at[axis] = 0;
    }
    return false;
  }

  /// Calls `use(key, value)` for each key of each axis, seeds last.
  template <class Use>
  void for_each_value(const std::vector<std::size_t>& at, const Use& use) const {
    const auto visit = [&](bool seeds) {
      for (std::size_t i = 0; i < axes_.size(); ++i) {
        const Axis& axis = axes_[i];
        for (std::size_t k = 0; k < axis.keys.size(); ++k) {
          if ((axis.keys[k] == "seed") == seeds) {
            use(axis.keys[k], axis.values[k][at[i]]);
          }
        }
      }
    };
    visit(false);
    visit(true);
  }

  /// Configuration of a position, before it is checked as a whole.
  ConfigurationReader read(const std::vector<std::size_t>& at) const {
    ConfigurationReader reader = base_;
    for_each_value(at, [&](const std::string& key, const AxisValue& value) {
      if (key == "base") {
        reader.read_bases(value.node, value.where, path_);
      }
    });
    reader.read_mapping(root_, source_, others_);
    for_each_value(at, [&](const std::string& key, const AxisValue& value) {
      if (key != "base") {
        reader.read_key(key, value.node, value.where, source_);
      }
    });
    return reader;
  }

  /// What a run has for the keys of the rules; for `base` as many texts as there are such axes.
  [[nodiscard]] RuleValues rule_values(const std::vector<std::size_t>& at,
                                       const Configuration& configuration) const {
    RuleValues values;
    for (const std::string& rule_key : rule_keys_) {
      std::vector<std::string>& texts = values[rule_key];
      if (rule_key != "base") {
        texts.push_back(find_setting(rule_key)->write(configuration));
        continue;
      }
      for_each_value(at, [&](const std::string& key, const AxisValue& value) {
        if (key == "base") {
          texts.push_back(compact_text(value.node));
        }
      });
    }
    return values;
  }

  bool is_excluded(const RuleValues& values) {
    bool any = false;
    for (std::size_t i = 0; i < exclusions_.size(); ++i) {
      const auto& conditions = exclusions_[i].conditions;
      const bool fitting = std::all_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
        return fits(condition, values.at(condition.key));
      });
      excluded_[i] = excluded_[i] || fitting;
      any = any || fitting;
    }
    return any;
  }

  void add_run(const std::vector<std::size_t>& at) {
    ConfigurationReader reader = read(at);
    base_files_ += reader.base_files() - base_.base_files();
    if (base_files_ > kMostBaseFiles) {
      throw BadInput(concat(source_, ": 'base': more than ", kMostBaseFiles,
                            " files to read for all runs; expected fewer runs, or fewer files below each"));
    }
    if (is_excluded(rule_values(at, reader.so_far()))) {
      return;
    }
    GridRun run;
    std::string name = grid_.name;
    for_each_value(at, [&](const std::string& key, const AxisValue& value) {
      const std::string text = value_text(key, value.node);
      run.label += concat(run.label.empty() ? "" : " ", key, "=", text);
      name += concat("_", key == "seed" ? "seed" : "", file_name_text(text));
    });
    try {
      run.configuration = reader.finish(source_, overrides_);
    } catch (const BadInput& error) {
      throw BadInput(concat(error.what(), " (in the run ", run.label, ")"));
    }
    run.configuration.name = name.substr(0, kLongestName);
    run.identity = store_identity(run.configuration);
    check_new(run, at);
    grid_.runs.push_back(std::move(run));
  }

  /// Refuses a run that is the same as an earlier one; names the axis where the two differ.
  void check_new(const GridRun& run, const std::vector<std::size_t>& at) {
    const auto [earlier, added] = positions_.emplace(run.identity, std::pair(run.label, at));
    if (added) {
      return;
    }
    const auto& [label, other] = earlier->second;
    std::size_t axis = 0;
    while (at[axis] == other[axis]) {
      ++axis;
    }
    throw BadInput(concat(axes_[axis].values[0][at[axis]].where, ": '", axes_[axis].keys[0], "': the runs ",
                          label, " and ", run.label,
                          " are the same; expected values that lead to different experiments"));
  }

  void check_result() const {
    for (std::size_t i = 0; i < exclusions_.size(); ++i) {
      if (!excluded_[i]) {
        throw BadInput(exclusions_[i].where + ": 'exclude': no run fits this rule; expected one that does");
      }
    }
    if (grid_.runs.empty()) {
      throw BadInput(source_ + ": an empty grid: 'exclude' leaves out every run; expected one at least");
    }
  }

  std::filesystem::path path_;
  std::string source_;
  std::vector<std::string> overrides_;
  ConfigurationReader base_;
  YAML::Node root_;
  std::vector<Axis> axes_;
  std::vector<Exclusion> exclusions_;
  std::set<std::string> rule_keys_;
  std::vector<bool> excluded_;  ///< by rule: whether a run fitted it
  std::vector<std::string> others_;
  bool named_ = false;
  std::size_t base_files_ = 0;  ///< that runs have read beside the common ones
  std::map<std::string, std::pair<std::string, std::vector<std::size_t>>> positions_;  ///< by identity
  Grid grid_;
};

}  // namespace

Grid load_grid(const std::filesystem::path& path, const std::vector<std::string>& overrides,
               const KnownNames& names, const SlurmOptions& site) {
  return Expansion(path, overrides, names).expand(site);
}

}  // namespace adapt
