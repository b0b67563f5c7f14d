#include "mpi/communicator.hpp"

#include <mpi.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "mpi/background.hpp"
#include "mpi/check.hpp"

namespace adapt::mpi {

struct Communicator::Handles {
  /// A duplicate of `group`, error handler included.
  explicit Handles(MPI_Comm group) {
    const Waiting waiting("MPI_Comm_dup");
    check(MPI_Comm_dup(group, &calls), "MPI_Comm_dup");
    check(MPI_Comm_dup(group, &background), "MPI_Comm_dup");
    check(MPI_Comm_rank(calls, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(calls, &size), "MPI_Comm_size");
    find_nodes();
  }
  /// What was given up half-way may still be under way in the background, so that MPI_Finalize frees it.
  ~Handles() { MPI_Comm_free(&calls); }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  void find_nodes() {
    MPI_Comm node = MPI_COMM_NULL;
    check(MPI_Comm_split_type(calls, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node), "MPI_Comm_split_type");
    int lowest = rank;
    check(MPI_Bcast(&lowest, 1, MPI_INT, 0, node), "MPI_Bcast");
    check(MPI_Comm_free(&node), "MPI_Comm_free");
    nodes.resize(static_cast<std::size_t>(size));
    check(MPI_Allgather(&lowest, 1, MPI_INT, nodes.data(), 1, MPI_INT, calls), "MPI_Allgather");
  }

  MPI_Comm calls = MPI_COMM_NULL;
  MPI_Comm background = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  std::vector<int> nodes;
};

namespace {

void reduce(std::span<std::int64_t> values, MPI_Op operation, MPI_Comm ranks) {
  const Waiting waiting("MPI_Allreduce");
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), count_of(values.size()), MPI_INT64_T, operation, ranks),
        "MPI_Allreduce");
}

}  // namespace

Session::Session(int* argc, char*** argv) {
  const Waiting waiting("MPI_Init");
  int provided = 0;
  check(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  int rank = 0;
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
  watchdog_.set_rank(rank);
}

Session::~Session() {
  const Waiting waiting("MPI_Finalize");
  MPI_Finalize();
}

Communicator::Communicator(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
Communicator::~Communicator() = default;
Communicator::Communicator(Communicator&&) noexcept = default;

Communicator Communicator::world() { return Communicator(std::make_unique<Handles>(MPI_COMM_WORLD)); }

Communicator Communicator::split_shared() const {
  const Waiting waiting("MPI_Comm_split_type");
  MPI_Comm node = MPI_COMM_NULL;
  check(MPI_Comm_split_type(handles_->calls, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node),
        "MPI_Comm_split_type");
  auto handles = std::make_unique<Handles>(node);
  check(MPI_Comm_free(&node), "MPI_Comm_free");
  return Communicator(std::move(handles));
}

MPI_Comm Background::of(const Communicator& ranks) { return ranks.handles_->background; }

int Communicator::rank() const { return handles_->rank; }
int Communicator::size() const { return handles_->size; }
const std::vector<int>& Communicator::nodes() const { return handles_->nodes; }
void Communicator::pretend_nodes(std::vector<int> nodes) { handles_->nodes = std::move(nodes); }

void Communicator::sum(std::span<std::int64_t> values) const { reduce(values, MPI_SUM, handles_->calls); }
void Communicator::maximum(std::span<std::int64_t> values) const { reduce(values, MPI_MAX, handles_->calls); }

void Communicator::broadcast(std::span<std::byte> bytes) const {
  const Waiting waiting("MPI_Bcast");
  check(MPI_Bcast(bytes.data(), count_of(bytes.size()), MPI_BYTE, 0, handles_->calls), "MPI_Bcast");
}

std::string Communicator::broadcast(const std::string& text, int root) const {
  const Waiting waiting("MPI_Bcast");
  std::int64_t length = static_cast<std::int64_t>(text.size());
  check(MPI_Bcast(&length, 1, MPI_INT64_T, root, handles_->calls), "MPI_Bcast");
  std::string result = rank() == root ? text : std::string(static_cast<std::size_t>(length), ' ');
  check(MPI_Bcast(result.data(), count_of(result.size()), MPI_CHAR, root, handles_->calls), "MPI_Bcast");
  return result;
}

std::vector<std::string> Communicator::all_gather(const std::string& text) const {
  const Waiting waiting("MPI_Allgatherv");
  const auto ranks = static_cast<std::size_t>(size());
  const int length = count_of(text.size());
  std::vector<int> lengths(ranks);
  check(MPI_Allgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, handles_->calls), "MPI_Allgather");
  std::vector<int> starts(ranks);
  std::exclusive_scan(lengths.begin(), lengths.end(), starts.begin(), 0);
  std::string all(static_cast<std::size_t>(starts.back()) + static_cast<std::size_t>(lengths.back()), ' ');
  check(MPI_Allgatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), starts.data(), MPI_CHAR,
                       handles_->calls),
        "MPI_Allgatherv");
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    texts.push_back(
        all.substr(static_cast<std::size_t>(starts[rank]), static_cast<std::size_t>(lengths[rank])));
  }
  return texts;
}

void Communicator::barrier() const {
  const Waiting waiting("MPI_Barrier");
  check(MPI_Barrier(handles_->calls), "MPI_Barrier");
}

std::int64_t allreduce_bytes(const Communicator& ranks, std::int64_t bytes) {
  const std::int64_t size = ranks.size();
  return (2 * (size - 1) * bytes + size - 1) / size;
}

std::int64_t allreduce_messages(const Communicator& ranks) {
  return 2 * std::int64_t{std::bit_width(static_cast<unsigned>(ranks.size() - 1))};
}

void abort(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

std::string library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text = {};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  const std::string whole(text.data(), static_cast<std::size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

}  // namespace adapt::mpi
