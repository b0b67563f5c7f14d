#pragma once

#include <array>
#include <string_view>

#include "base/names.hpp"
#include "exchange/sum_plan.hpp"

namespace adapt {

/// By which messages integers are summed over the ranks, by the name under `exchange.algorithm`. No bit
/// depends on it. To add one, write a file that defines make_NAME_plan, and add a word to each of the
/// three lists below.
enum class Algorithm { direct, tree, hierarchical };

/// The part of rank task.rank. Every rank makes its own; together they fit (sum_plan.hpp).
using MakeSumPlan = SumPlan(const SumTask& task);

MakeSumPlan make_direct_plan;
MakeSumPlan make_tree_plan;
MakeSumPlan make_hierarchical_plan;

struct AlgorithmEntry {
  std::string_view name;
  Algorithm value;
  MakeSumPlan* make;
};

template <>
inline constexpr auto kNames<Algorithm> = std::array{
    AlgorithmEntry{"direct", Algorithm::direct, make_direct_plan},
    AlgorithmEntry{"tree", Algorithm::tree, make_tree_plan},
    AlgorithmEntry{"hierarchical", Algorithm::hierarchical, make_hierarchical_plan},
};

}  // namespace adapt
