#pragma once

#include <memory>
#include <vector>

#include "precision/policy.hpp"

/// Every policy, one line each: the name NAME under `precision.name`. To add one, add its line here and a
/// file NAME_policy.cpp that defines make_NAME_policy as declared below.
#define ADAPT_POLICIES(POLICY) \
  POLICY(float32)              \
  POLICY(fixed)                \
  POLICY(adapt)                \
  POLICY(muppet)

namespace adapt {

#define ADAPT_DECLARE_POLICY(NAME)                                                    \
  std::unique_ptr<PrecisionPolicy> make_##NAME##_policy(const PolicyOptions& options, \
                                                        const std::vector<LayerInfo>& layers);
ADAPT_POLICIES(ADAPT_DECLARE_POLICY)
#undef ADAPT_DECLARE_POLICY

/// A layer all of whose tensors share `format`, as far as `quantize` and `backward` ask for them.
LayerFormats formats_of(FixedFormat format, const PolicyOptions& options);

}  // namespace adapt
