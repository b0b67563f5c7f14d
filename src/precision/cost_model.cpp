#include "precision/cost_model.hpp"

#include <algorithm>
#include <numbers>

#include "base/error.hpp"
#include "numerics/functions.hpp"

namespace adapt {
namespace {

constexpr double kFloatBits = 32;

void check_run(const RunCosts& run) {
  if (run.layers.empty()) {
    throw Failure("cost model: the run has no layers");
  }
  const auto& first = run.layers.front().rows;
  for (const LayerCosts& layer : run.layers) {
    if (layer.rows.empty() || !std::ranges::equal(layer.rows, first, {}, &CostRow::step, &CostRow::step)) {
      throw Failure(concat("cost model: layer ", layer.name, " has ", layer.rows.size(), " rows, layer ",
                           run.layers.front().name, " has ", first.size(),
                           ": needs the same steps, at least one"));
    }
  }
}

double switch_madds(const CostSwitch& event, std::int64_t parameters) {
  if (event.resolution == 0) {
    return 0;
  }
  const auto numel = static_cast<double>(parameters);
  const double searches = 2 * log(std::max(event.word_length - 8, 2)) / std::numbers::ln2;
  const double push_down = 3 * numel * searches * event.resolution * event.density;
  const double push_up = (event.lookback + 1) * numel;
  return push_down + push_up;
}

StepSums sum_steps(const LayerCosts& layer) {
  StepSums sums = layer.sums;
  add_rows(sums, layer.rows);
  return sums;
}

}  // namespace

void add_rows(StepSums& sums, std::span<const CostRow> rows) {
  for (const CostRow& row : rows) {
    if (row.step <= sums.steps) {
      continue;
    }
    const auto steps = static_cast<double>(row.step - sums.steps);
    const double bits = steps * row.density * row.word_length;
    sums.bits += bits;
    sums.copy_bits += row.is_float32 ? 0 : bits;
    sums.dense_bits += steps * row.density * kFloatBits;
    sums.word_lengths += steps * row.word_length;
    sums.steps = row.step;
  }
}

ModelledCosts model_costs(const RunCosts& run) {
  check_run(run);
  const auto images = static_cast<double>(run.images_per_step);
  const auto steps = static_cast<double>(run.layers.front().rows.back().step);
  const auto layer_count = static_cast<double>(run.layers.size());
  double madds = 0;
  double numel = 0;
  double final_forward = 0;
  double final_size = 0;
  double copy_bits = 0;
  double word_lengths = 0;
  double final_word_lengths = 0;
  ModelledCosts costs;
  for (const LayerCosts& layer : run.layers) {
    const auto layer_madds = static_cast<double>(layer.madds);
    const auto parameters = static_cast<double>(layer.parameters);
    const StepSums sums = sum_steps(layer);
    costs.forward += images * layer_madds * sums.bits;
    costs.backward += images * layer_madds * (run.quantized_backward ? sums.bits : sums.dense_bits);
    for (const CostSwitch& event : layer.switches) {
      costs.overhead += switch_madds(event, layer.parameters) * kFloatBits;
    }
    const CostRow& last = layer.rows.back();
    madds += layer_madds;
    numel += parameters;
    final_forward += last.density * layer_madds * last.word_length;
    final_size += last.density * parameters * last.word_length;
    copy_bits += parameters * sums.copy_bits / steps;
    word_lengths += sums.word_lengths / steps;
    final_word_lengths += last.word_length;
  }
  const double total = costs.forward + costs.backward + costs.overhead;
  costs.float32 = 2 * steps * images * madds * kFloatBits;
  costs.training_speedup = costs.float32 / total;
  costs.inference_speedup = madds * kFloatBits / final_forward;
  costs.model_size = final_size / (numel * kFloatBits);
  costs.training_memory = 1 + copy_bits / (numel * kFloatBits);
  costs.overhead_share = costs.overhead / total;
  costs.mean_word_length = word_lengths / layer_count;
  costs.final_word_length = final_word_lengths / layer_count;
  return costs;
}

}  // namespace adapt
