#pragma once

#include <span>

#include "numerics/format.hpp"
#include "numerics/histogram.hpp"
#include "precision/bounds.hpp"

namespace adapt {

/// When a format counts as one that loses no information about a tensor.
struct InformationBound {
  int resolution;    ///< r, bins of the histograms
  double epsilon;    ///< bound on KL(P‖Q), nats
  double smoothing;  ///< see kl_divergence
};

/// What PushDown found.
struct PushDownResult {
  FixedFormat format;     ///< ⟨WL_min, FL_min⟩
  double divergence = 0;  ///< KL(P‖Q) at `format`
  bool satisfied = true;  ///< divergence <= epsilon
  bool finite = true;     ///< false: the weights hold NaN or Inf, and there is no format
};

/// A PushDown to be done: of the weights of quantized layer `layer`, from `word_length` on.
struct PushDownJob {
  int layer;
  int word_length;
  InformationBound bound;
};

/// AdaPT's PushDown: the smallest format that loses no information about `weights` (finite), by bisection:
/// first the smallest FL at `word_length`, then the smallest WL at that FL. A format passes when
/// KL(P‖Q) <= epsilon, with P and Q the histograms over [min W, max W] of W and of its copy rounded to
/// nearest (deterministic, where training rounds stochastically).
///
/// FL is searched from the largest at which all weights round to zero to the largest at which none saturates.
/// If the latter does not pass, `word_length` is too short for these weights and the search for FL is
/// repeated with 32 bits. If even that does not pass, the result is the finest 32-bit format that saturates
/// nothing, and `satisfied` is false.
///
/// KL need not fall monotonically with FL or WL. The result passes all the same, because the upper end of the
/// bisection only moves to formats that passed; a still smaller format beyond one that failed may be missed.
///
/// Constant weights must be represented exactly to pass; for all-zero weights the result is ⟨2, 0⟩.
PushDownResult push_down(const SortedValues& weights, int word_length, const InformationBound& bound);

/// The same, `weights` being those of the job's layer.
PushDownResult push_down(std::span<const float> weights, const PushDownJob& job);

}  // namespace adapt
