#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adapt {

/// What one logged row of a layer says. It stands for the steps after the row before, up to its own.
struct CostRow {
  std::int64_t step = 0;    ///< from 1, strictly growing
  int word_length = 32;     ///< 32 for float32
  double density = 1;       ///< share of non-zero quantized weights; 1 if not logged
  bool is_float32 = false;  ///< no quantized copy exists beside the master
};

/// One precision switch of a layer.
struct CostSwitch {
  int word_length = 8;  ///< in force before the switch: where PushDown starts
  int resolution = 0;   ///< r, bins; 0: of a policy without PushDown and PushUp, whose switches cost nothing
  int lookback = 0;     ///< lb, steps of the window that ended
  double density = 1;
};

/// Sums over the steps of one layer.
struct StepSums {
  std::int64_t steps = 0;
  double bits = 0;          ///< d · WL
  double dense_bits = 0;    ///< d · 32
  double word_lengths = 0;  ///< WL
  double copy_bits = 0;     ///< d · WL where a quantized copy exists
};

/// A quantized layer over a whole run.
struct LayerCosts {
  std::string name;
  std::int64_t madds = 0;       ///< multiply-adds of one sample, forward
  std::int64_t parameters = 0;  ///< numel
  std::vector<CostRow> rows;    ///< at least one; those that the sums below already hold need not stay
  std::vector<CostSwitch> switches;
  StepSums sums = {};  ///< over rows up to step sums.steps; the figures are the same, bit for bit, as without
};

/// Takes into the sums, in order, those rows that come after sums.steps.
void add_rows(StepSums& sums, std::span<const CostRow> rows);

/// A run as the analytical model sees it.
struct RunCosts {
  std::int64_t images_per_step = 1;  ///< global batch: MAdds are per sample, a switch is paid once
  bool quantized_backward = false;   ///< `backward: quantized`: the backward pass counts at WL bits
  std::vector<LayerCosts> layers;    ///< at least one, all logged at the same steps
};

/// The modelled figures of a run (none is wall clock), in MAdds · bits and ratios.
struct ModelledCosts {
  double forward = 0;            ///< sum over steps and layers of images · d · MAdds · WL
  double backward = 0;           ///< the same sum at 32 bits, or equal to `forward` if quantized
  double overhead = 0;           ///< PushDown and PushUp of all switches, at 32 bits
  double float32 = 0;            ///< a float32 run of as many steps: d = 1, 32 bits, forward and backward
  double training_speedup = 1;   ///< float32 / (forward + backward + overhead)
  double inference_speedup = 1;  ///< sum MAdds · 32 / sum d · MAdds · WL of the last rows
  double model_size = 1;  ///< sum d · numel · WL / sum numel · 32 of the last rows; below 1 is smaller
  double training_memory = 1;    ///< float32 master and quantized copy (none where a row is float32) relative
                                 ///< to the master, mean over steps
  double overhead_share = 0;     ///< overhead / (forward + backward + overhead)
  double mean_word_length = 32;  ///< over steps and layers, every layer alike
  double final_word_length = 32;  ///< mean over layers of the last rows
};

/// AdaPT's analytical performance model. One switch costs, in MAdds, 3 · numel · 2 · log2(max(WL - 8, 2)) · r
/// · d for PushDown and (lb + 1) · numel for PushUp; spread over the lb steps of its window that is the same
/// total. The 32-bit backward sum keeps the density d, as the forward sum does. Ratios with nothing to divide
/// by (density 0 everywhere) are +inf. Throws Failure for a run without layers or rows, or rows at different
/// steps.
ModelledCosts model_costs(const RunCosts& run);

}  // namespace adapt
