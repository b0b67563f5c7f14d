#include "mpi/agreement.hpp"

#include <map>

#include "base/sha256.hpp"
#include "mpi/together.hpp"

namespace adapt::mpi {
namespace {

/// A line "name\tvalue" for each.
std::string text_of(const Facts& facts) {
  std::string text;
  for (const auto& [name, value] : facts) {
    text += concat(name, "\t", value, "\n");
  }
  return text;
}

Facts facts_of(const std::string& text) {
  Facts facts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    facts.emplace_back(line.substr(0, tab), line.substr(tab + 1));
  }
  return facts;
}

/// The value under `name`, or "(none)".
std::string value_of(const Facts& facts, const std::string& name) {
  for (const auto& [key, value] : facts) {
    if (key == name) {
      return value;
    }
  }
  return "(none)";
}

/// The first name in either under which they differ.
std::string first_difference(const Facts& a, const Facts& b) {
  for (const Facts* facts : {&a, &b}) {
    for (const auto& [name, value] : *facts) {
      if (value_of(a, name) != value_of(b, name)) {
        return name;
      }
    }
  }
  return "the order of keys";
}

/// Ranks whose value is not that of rank 0.
std::vector<int> others(const std::vector<std::string>& values) {
  std::vector<int> ranks;
  for (std::size_t rank = 0; rank < values.size(); ++rank) {
    if (values[rank] != values[0]) {
      ranks.push_back(static_cast<int>(rank));
    }
  }
  return ranks;
}

}  // namespace

void agree(const Communicator& ranks, const Facts& facts, const std::string& expected) {
  const std::string own = text_of(facts);
  const std::vector<int> different = others(ranks.all_gather(sha256(std::as_bytes(std::span(own)))));
  if (different.empty()) {
    return;
  }
  const int odd = different.front();
  const std::string odd_name = ranks.broadcast(name_of_rank(ranks), odd);
  const Facts odd_facts = facts_of(ranks.broadcast(own, odd));
  const std::string root_name = ranks.broadcast(name_of_rank(ranks), 0);
  const Facts root_facts = facts_of(ranks.broadcast(own, 0));
  const std::string what = first_difference(root_facts, odd_facts);
  const std::string more =
      different.size() > 1 ? concat(" (ranks ", rank_list(different), " differ from rank 0)") : "";
  throw SharedError(
      ExitCode::bad_input,
      concat("ranks do not agree: ", what, " is ", value_of(odd_facts, what), " on ", odd_name, ", ",
             value_of(root_facts, what), " on ", root_name, more, "; expected ", expected),
      Cause::machine);
}

std::string rank_list(std::span<const int> ranks) {
  std::string text;
  for (std::size_t first = 0; first < ranks.size();) {
    std::size_t last = first;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) {
      ++last;
    }
    text += concat(text.empty() ? "" : ", ", ranks[first]);
    text += last > first ? concat("-", ranks[last]) : "";
    first = last + 1;
  }
  return text;
}

std::string rank_table(std::span<const std::string> values) {
  std::vector<std::string> order;  // as they first appear
  std::map<std::string, std::vector<int>> ranks;
  for (std::size_t rank = 0; rank < values.size(); ++rank) {
    std::vector<int>& having = ranks[values[rank]];
    if (having.empty()) {
      order.push_back(values[rank]);
    }
    having.push_back(static_cast<int>(rank));
  }
  std::string text;
  for (const std::string& value : order) {
    text += concat(text.empty() ? "" : "; ", rank_list(ranks[value]), ": ", value);
  }
  return text;
}

}  // namespace adapt::mpi
