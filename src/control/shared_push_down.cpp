#include "control/shared_push_down.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "base/phase.hpp"
#include "mpi/messages.hpp"

namespace adapt {

static_assert(std::is_trivially_copyable_v<PushDownJob> && std::is_trivially_copyable_v<PushDownResult>,
              "they are sent as they are");

std::vector<std::size_t> SharedPushDown::sizes_of(const std::vector<PushDownJob>& jobs) const {
  std::vector<std::size_t> sizes;
  for (const PushDownJob& job : jobs) {
    sizes.push_back(weights_(job.layer).size());
  }
  return sizes;
}

bool SharedPushDown::is_worth_it(const std::vector<PushDownJob>& jobs) const {
  const std::vector<std::size_t> sizes = sizes_of(jobs);
  return ranks_.size() > 1 && jobs.size() > 1 &&
         std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}) >= kFewWeights;
}

std::vector<int> SharedPushDown::deal(const std::vector<std::size_t>& sizes, int ranks) {
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::vector<std::size_t> load(static_cast<std::size_t>(ranks));
  std::vector<int> owners(sizes.size());
  for (const std::size_t job : order) {
    const auto least = std::ranges::min_element(load);
    *least += sizes[job];
    owners[job] = static_cast<int>(least - load.begin());
  }
  return owners;
}

std::vector<PushDownResult> SharedPushDown::run(std::vector<PushDownJob> jobs) const {
  ranks_.broadcast(std::as_writable_bytes(std::span(jobs)));
  const std::vector<int> owners = deal(sizes_of(jobs), ranks_.size());
  std::vector<PushDownResult> results(jobs.size());
  mpi::Messages messages;
  constexpr int kTag = 0;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (ranks_.rank() == 0 && owners[i] != 0) {
      messages.receive(ranks_, std::as_writable_bytes(std::span(&results[i], 1)), owners[i], kTag);
    }
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (owners[i] == ranks_.rank()) {
      phase::begin("push_down");
      results[i] = push_down(weights_(jobs[i].layer), jobs[i]);
      if (ranks_.rank() != 0) {
        messages.send(ranks_, std::as_bytes(std::span(&results[i], 1)), 0, kTag);
      }
    }
  }
  messages.wait();
  return ranks_.rank() == 0 ? results : std::vector<PushDownResult>();
}

}  // namespace adapt
