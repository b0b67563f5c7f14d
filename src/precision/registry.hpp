#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/names.hpp"

namespace adapt {

class PrecisionPolicy;
struct LayerInfo;
struct PolicyOptions;

/// Who decides the formats, by the name under `precision.policy`. To add a policy, write a file
/// NAME_policy.cpp that defines make_NAME_policy, and add a word to each of the three lists below.
enum class Policy { float32, fixed, adapt, muppet };

/// Makes a policy for layers in the model's order. Throws BadInput for options out of range.
using MakePolicy = std::unique_ptr<PrecisionPolicy>(const PolicyOptions& options,
                                                    const std::vector<LayerInfo>& layers);

MakePolicy make_float32_policy;
MakePolicy make_fixed_policy;
MakePolicy make_adapt_policy;
MakePolicy make_muppet_policy;

struct PolicyEntry {
  std::string_view name;
  Policy value;
  MakePolicy* make;
};

template <>
inline constexpr auto kNames<Policy> = std::array{
    PolicyEntry{"float32", Policy::float32, make_float32_policy},
    PolicyEntry{"fixed", Policy::fixed, make_fixed_policy},
    PolicyEntry{"adapt", Policy::adapt, make_adapt_policy},
    PolicyEntry{"muppet", Policy::muppet, make_muppet_policy},
};

}  // namespace adapt
