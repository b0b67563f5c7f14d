#pragma once

#include <string>

namespace adapt {

/// `precision.fixed`: one format for all layers.
struct FixedPolicyOptions {
  int word_length = 16;
  int fractional_length = 12;
};

/// `precision.adapt`: the hyper-parameters of AdaPT (arXiv 2107.13490, sections 3 and 4).
struct AdaptPolicyOptions {
  int word_length = 8;                ///< initial WL
  int fractional_length = 4;          ///< initial FL
  int lookback_lower = 25;            ///< lb_lwr, steps
  int lookback_upper = 100;           ///< lb_upr, steps
  int resolution_lower = 50;          ///< r_lwr, histogram bins
  int resolution_upper = 150;         ///< r_upr, histogram bins
  double lookback_momentum = 0.33;    ///< γ
  int buffer_bits = 4;                ///< b
  double epsilon = 0.03;              ///< bound on the KL divergence of PushDown, nats
  double smoothing = 1e-3;            ///< pseudo-count of a histogram bin, as a share of all counts
  std::string strategy = "adaptive";  ///< adaptive, min, mean, max
};

/// `quantize`: which tensors a policy's format applies to besides the weights.
struct QuantizeOptions {
  bool inputs = true;
  bool outputs = true;
  bool gradients = true;
};

/// `precision`: who decides the formats.
struct PolicyOptions {
  std::string name = "float32";  ///< float32, fixed, adapt
  QuantizeOptions quantize;
  FixedPolicyOptions fixed;
  AdaptPolicyOptions adapt;
};

}  // namespace adapt
