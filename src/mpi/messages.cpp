#include "mpi/messages.hpp"

#include <mpi.h>

#include <vector>

#include "mpi/background.hpp"
#include "mpi/check.hpp"
#include "mpi/watchdog.hpp"

namespace adapt::mpi {

struct Messages::Implementation {
  static constexpr int kUnderWay = -1;

  MPI_Request& next() {
    lengths.push_back(kUnderWay);
    ++under_way;
    return requests.emplace_back(MPI_REQUEST_NULL);
  }

  /// Message `index` is done.
  void take(std::size_t index, const MPI_Status& status) {
    if (lengths[index] == kUnderWay) {
      MPI_Get_count(&status, MPI_BYTE, &lengths[index]);
      --under_way;
    }
  }

  void take_all(const std::vector<MPI_Status>& statuses) {
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      take(i, statuses[i]);
    }
  }

  std::vector<MPI_Request> requests;
  std::vector<int> lengths;  // of those that are done
  std::size_t under_way = 0;
};

Messages::Messages() : implementation_(std::make_unique<Implementation>()) {}
Messages::~Messages() = default;
Messages::Messages(Messages&&) noexcept = default;
Messages& Messages::operator=(Messages&&) noexcept = default;

void Messages::send(const Communicator& ranks, std::span<const std::byte> bytes, int to, int tag) {
  check(MPI_Isend(bytes.data(), count_of(bytes.size()), MPI_BYTE, to, tag, Background::of(ranks),
                  &implementation_->next()),
        "MPI_Isend");
}

void Messages::receive(const Communicator& ranks, std::span<std::byte> bytes, int from, int tag) {
  check(MPI_Irecv(bytes.data(), count_of(bytes.size()), MPI_BYTE, from, tag, Background::of(ranks),
                  &implementation_->next()),
        "MPI_Irecv");
}

void Messages::sum(const Communicator& ranks, std::span<float> values) {
  check(MPI_Iallreduce(MPI_IN_PLACE, values.data(), count_of(values.size()), MPI_FLOAT, MPI_SUM,
                       Background::of(ranks), &implementation_->next()),
        "MPI_Iallreduce");
}

bool Messages::test() {
  if (implementation_->under_way == 0) {
    return true;  // seen to be done before
  }
  // Not MPI_Testall: where not all are done, SimGrid's forgets those that are.
  std::vector<MPI_Request>& requests = implementation_->requests;
  int done = 0;
  std::vector<int> indices(requests.size());
  std::vector<MPI_Status> statuses(requests.size());
  check(MPI_Testsome(count_of(requests.size()), requests.data(), &done, indices.data(), statuses.data()),
        "MPI_Testsome");
  for (int i = 0; i < done; ++i) {
    const auto at = static_cast<std::size_t>(i);
    implementation_->take(static_cast<std::size_t>(indices[at]), statuses[at]);
  }
  return implementation_->under_way == 0;
}

void Messages::wait() {
  std::vector<MPI_Request>& requests = implementation_->requests;
  if (implementation_->under_way == 0) {
    return;
  }
  const Waiting waiting("MPI_Waitall");
  std::vector<MPI_Status> statuses(requests.size());
  check(MPI_Waitall(count_of(requests.size()), requests.data(), statuses.data()), "MPI_Waitall");
  implementation_->take_all(statuses);
}

void Messages::wait_for_some(std::span<Messages* const> groups) {
  struct Place {
    Implementation* group;
    std::size_t index;
  };
  std::vector<Place> places;
  std::vector<MPI_Request> requests;
  for (Messages* messages : groups) {
    Implementation& group = *messages->implementation_;
    for (std::size_t i = 0; i < group.requests.size(); ++i) {
      if (group.lengths[i] == Implementation::kUnderWay) {
        places.push_back({&group, i});
        requests.push_back(group.requests[i]);
      }
    }
  }
  if (requests.empty()) {
    return;
  }
  const Waiting waiting("MPI_Waitsome");
  int done = 0;
  std::vector<int> indices(requests.size());
  std::vector<MPI_Status> statuses(requests.size());
  check(MPI_Waitsome(count_of(requests.size()), requests.data(), &done, indices.data(), statuses.data()),
        "MPI_Waitsome");
  for (int i = 0; i < done; ++i) {
    const Place& place = places[static_cast<std::size_t>(indices[static_cast<std::size_t>(i)])];
    place.group->requests[place.index] = MPI_REQUEST_NULL;
    place.group->take(place.index, statuses[static_cast<std::size_t>(i)]);
  }
}

std::size_t Messages::length(std::size_t index) const {
  return static_cast<std::size_t>(implementation_->lengths.at(index));
}

void Messages::clear() {
  implementation_->requests.clear();
  implementation_->lengths.clear();
  implementation_->under_way = 0;
}

}  // namespace adapt::mpi
