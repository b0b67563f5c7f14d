#include "mpi/messages.hpp"

#include <mpi.h>

#include <vector>

#include "mpi/background.hpp"
#include "mpi/check.hpp"
#include "mpi/watchdog.hpp"

namespace adapt::mpi {

struct Messages::Implementation {
  MPI_Request& next() {
    lengths.clear();
    return requests.emplace_back(MPI_REQUEST_NULL);
  }

  void take_lengths(const std::vector<MPI_Status>& statuses) {
    lengths.clear();
    for (const MPI_Status& status : statuses) {
      int length = 0;
      MPI_Get_count(&status, MPI_BYTE, &length);
      lengths.push_back(length);
    }
  }

  std::vector<MPI_Request> requests;
  std::vector<int> lengths;  // once all are done
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
  std::vector<MPI_Request>& requests = implementation_->requests;
  if (implementation_->lengths.size() == requests.size()) {
    return true;  // seen to be done before
  }
  std::vector<MPI_Status> statuses(requests.size());
  int done = 0;
  check(MPI_Testall(count_of(requests.size()), requests.data(), &done, statuses.data()), "MPI_Testall");
  if (done != 0) {
    implementation_->take_lengths(statuses);
  }
  return done != 0;
}

void Messages::wait() {
  std::vector<MPI_Request>& requests = implementation_->requests;
  if (implementation_->lengths.size() == requests.size()) {
    return;
  }
  const Waiting waiting("MPI_Waitall");
  std::vector<MPI_Status> statuses(requests.size());
  check(MPI_Waitall(count_of(requests.size()), requests.data(), statuses.data()), "MPI_Waitall");
  implementation_->take_lengths(statuses);
}

std::size_t Messages::length(std::size_t index) const {
  return static_cast<std::size_t>(implementation_->lengths.at(index));
}

void Messages::clear() {
  implementation_->requests.clear();
  implementation_->lengths.clear();
}

}  // namespace adapt::mpi
