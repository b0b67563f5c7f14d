#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/names.hpp"
#include "precision/push_up.hpp"
#include "precision/registry.hpp"

namespace adapt {

/// What has a format of its own: all tensors of a layer together share one FL (AdaPT's publication), or each
/// tensor has its own, a running scale.
enum class FormatScope { per_layer, per_tensor };
template <>
inline constexpr auto kNames<FormatScope> =
    std::array{Named{"per_layer", FormatScope::per_layer}, Named{"per_tensor", FormatScope::per_tensor}};

/// How the running scale of a tensor is found. maximum: the largest magnitude fits. least_error: the one that
/// rounds and clips with the least squared error.
enum class ScaleChoice { maximum, least_error };
template <>
inline constexpr auto kNames<ScaleChoice> =
    std::array{Named{"maximum", ScaleChoice::maximum}, Named{"least_error", ScaleChoice::least_error}};

/// Activation gradients: float32 (AdaPT's publication), or quantized.
enum class Backward { float32, quantized };
template <>
inline constexpr auto kNames<Backward> =
    std::array{Named{"float32", Backward::float32}, Named{"quantized", Backward::quantized}};

/// What s added bits lead to. fraction: FL = FL_min + s, WL = max(WL_min, FL) + 1 (AdaPT's publication, where
/// one FL serves all tensors of a layer). word: WL = WL_min + s, for `formats: per_tensor`, where a scale of
/// its own takes care of each tensor's range.
enum class Growth { fraction, word };
template <>
inline constexpr auto kNames<Growth> =
    std::array{Named{"fraction", Growth::fraction}, Named{"word", Growth::word}};

/// What must not lose information: AdaPT's PushDown is of the weights (publication), or of weights and
/// activations, of which the one that needs the longest words decides.
enum class Watched { weights, activations };
template <>
inline constexpr auto kNames<Watched> =
    std::array{Named{"weights", Watched::weights}, Named{"activations", Watched::activations}};

/// How often MuPPET has a gradient diversity: every `resolution` epochs, or every epoch over the last ones.
enum class DiversityWindow { block, sliding };
template <>
inline constexpr auto kNames<DiversityWindow> =
    std::array{Named{"block", DiversityWindow::block}, Named{"sliding", DiversityWindow::sliding}};

/// `precision.fixed`: one format for all layers.
struct FixedPolicyOptions {
  int word_length = 16;
  int fractional_length = 12;
};

/// `precision.adapt`: the hyper-parameters of AdaPT (arXiv 2107.13490, sections 3 and 4).
struct AdaptPolicyOptions {
  int word_length = 8;              ///< initial WL
  int fractional_length = 4;        ///< initial FL
  int lookback_lower = 25;          ///< lb_lwr, steps
  int lookback_upper = 100;         ///< lb_upr, steps
  int resolution_lower = 50;        ///< r_lwr, histogram bins
  int resolution_upper = 150;       ///< r_upr, histogram bins
  double lookback_momentum = 0.33;  ///< γ
  int buffer_bits = 4;              ///< b
  double epsilon = 0.03;            ///< bound on the KL divergence of PushDown, nats
  double smoothing = 1e-3;          ///< pseudo-count of a histogram bin, as a share of all counts
  Growth growth = Growth::fraction;
  std::optional<Strategy> strategy;  ///< none: adaptive, by the loss
  /// Word lengths that the machine is built for, ascending: WL is rounded up to the next; one above them all
  /// stays. Empty: any WL.
  std::vector<int> tiers = {};
  Watched watch = Watched::weights;
};

/// `precision.muppet`: the hyper-parameters of MuPPET (Rajagopal et al., ICML 2020), as published.
struct MuppetPolicyOptions {
  std::vector<int> levels = {8, 12, 14, 16};  ///< word lengths, ascending; float32 after the last
  int resolution = 3;                         ///< r: epochs whose gradients make one Δ, at least 2
  DiversityWindow window = DiversityWindow::block;
  double threshold = 1;  ///< a violation: M / Δ > threshold + slack · exp(-decay · epoch)
  double slack = 1.5;
  double decay = 0.1;  ///< per epoch
  int violations = 2;  ///< that lead to the next level
};

/// `precision.quantize`: which tensors a policy's format applies to besides the weights.
struct QuantizeOptions {
  bool inputs = true;
  bool outputs = true;
  bool unnormalized = true;  ///< outputs that no batch norm reads, too
  bool gradients = true;
};

/// `precision`: who decides the formats.
struct PolicyOptions {
  Policy name = Policy::float32;
  FormatScope formats = FormatScope::per_layer;
  ScaleChoice scales = ScaleChoice::maximum;  ///< with `formats: per_tensor`
  Backward backward = Backward::float32;
  QuantizeOptions quantize;
  FixedPolicyOptions fixed;
  AdaptPolicyOptions adapt;
  MuppetPolicyOptions muppet;
};

}  // namespace adapt
