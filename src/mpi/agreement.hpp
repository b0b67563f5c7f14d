#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mpi/communicator.hpp"

namespace adapt::mpi {

/// What is to be the same on all ranks: names, and values in one line each; what matters most comes first.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Compares the ranks' facts (collective; the messages do not depend on what they are, so that ranks with
/// different tasks meet here). Where one has others than rank 0, all ranks throw the same SharedError of bad
/// input: the first fact that differs, the lowest rank that differs and its host, both values, all ranks that
/// differ from rank 0, and `expected`, what would be right.
void agree(const Communicator& ranks, const Facts& facts, const std::string& expected);

/// Ascending ranks as "0-3, 5".
std::string rank_list(std::span<const int> ranks);

/// What each rank has, where many have the same: "0-3, 5: n1; 4: n2". `values` by rank.
std::string rank_table(std::span<const std::string> values);

}  // namespace adapt::mpi
