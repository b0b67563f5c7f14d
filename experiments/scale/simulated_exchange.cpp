// One step's exchange of a network's gradients, by the code of src/exchange, on ranks that SimGrid simulates:
// compiled by smpicxx and started by smpirun (simulate.sh).
//
// usage: simulated_exchange METHOD PER_RANK_SHARDS ELEMENTS...
// METHOD: an algorithm of the exchange (int8), or allreduce (MPI_Allreduce of float32, all tensors at once).
// ELEMENTS: of each tensor, in the order of the model. Prints on one line: METHOD, simulated seconds of the
// slowest rank, most bytes and messages of a rank, SHA-256 of the mean (the same on all ranks, or it fails).

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include "base/sha256.hpp"
#include "exchange/encoding.hpp"
#include "mpi/communicator.hpp"

namespace adapt {
namespace {

/// How a step's exchange went on one rank.
struct Outcome {
  double seconds = 0;
  std::int64_t bytes = 0;
  std::int64_t messages = 0;
  std::string digest;
};

/// Normal numbers, others for each shard and tensor, which cost little to make.
class Gradients {
 public:
  Gradients() : normal_(1U << 16U) {
    RandomSequence random({.seed = 2});
    std::ranges::generate(normal_, [&] { return static_cast<float>(random.normal()); });
  }

  std::vector<float> of(std::size_t tensor, int shard, std::size_t size) const {
    std::vector<float> gradient(size);
    std::size_t at = 7919 * (static_cast<std::size_t>(shard) + 1) + 104729 * tensor;
    for (float& value : gradient) {
      at += 31 + static_cast<std::size_t>(shard);
      value = normal_[at % normal_.size()];
    }
    return gradient;
  }

 private:
  std::vector<float> normal_;
};

/// What an encoding knows after a step in which all gradients were of usual size: by a step of one number for
/// each tensor, which takes no memory.
std::vector<std::byte> state_after_a_step(std::size_t tensors, int shards, const mpi::Communicator& ranks) {
  const auto small =
      make_encoding(Encoding::int8, std::vector<ExchangeTensor>(tensors, {"w", 1, 0, true}), shards);
  small->begin({.seed = 1, .step = 1});
  for (int shard = ranks.rank(); shard < shards; shard += ranks.size()) {
    for (std::size_t tensor = 0; tensor < tensors; ++tensor) {
      small->add(tensor, static_cast<std::uint32_t>(shard), std::array{4.0F});
    }
  }
  small->reduce(ranks);
  return small->save_state();
}

Outcome sum_integers(Algorithm algorithm, const std::vector<std::size_t>& sizes, int shards,
                     const mpi::Communicator& ranks) {
  std::vector<ExchangeTensor> tensors;
  for (const std::size_t size : sizes) {
    tensors.push_back({"w", size, 0, true});
  }
  const auto encoding = make_encoding(Encoding::int8, tensors, shards, {.algorithm = algorithm});
  encoding->restore_state(state_after_a_step(sizes.size(), shards, ranks), ranks);
  encoding->begin({.seed = 1, .step = 2});
  {
    const Gradients gradients;
    for (int shard = ranks.rank(); shard < shards; shard += ranks.size()) {
      for (std::size_t tensor = sizes.size(); tensor-- > 0;) {
        encoding->add(tensor, static_cast<std::uint32_t>(shard), gradients.of(tensor, shard, sizes[tensor]));
      }
    }
  }
  ranks.barrier();
  const double begin = MPI_Wtime();
  encoding->reduce(ranks);
  Outcome outcome = {MPI_Wtime() - begin, encoding->bytes(), encoding->messages(), ""};
  Sha256 sha;
  for (std::size_t tensor = 0; tensor < sizes.size(); ++tensor) {
    std::vector<float> mean(sizes[tensor]);
    encoding->mean(tensor, 0, mean);
    sha.update(std::as_bytes(std::span(mean)));
  }
  outcome.digest = sha.finish();
  return outcome;
}

Outcome allreduce(const std::vector<std::size_t>& sizes, const mpi::Communicator& ranks) {
  const std::size_t size = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  std::vector<float> sums(size, 1.0F);
  ranks.barrier();
  const double begin = MPI_Wtime();
  MPI_Allreduce(MPI_IN_PLACE, sums.data(), static_cast<int>(size), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  const double seconds = MPI_Wtime() - begin;
  const auto bytes = static_cast<std::int64_t>(size * sizeof(float));
  return {seconds, mpi::allreduce_bytes(ranks, bytes), mpi::allreduce_messages(ranks),
          std::to_string(sums.back())};
}

void run(const std::string& method, int shards_per_rank, const std::vector<std::size_t>& sizes) {
  const mpi::Communicator ranks = mpi::Communicator::world();
  const Outcome own = method == "allreduce" ? allreduce(sizes, ranks)
                                            : sum_integers(read_name<Algorithm>("algorithm", method), sizes,
                                                           shards_per_rank * ranks.size(), ranks);
  constexpr double kNanoseconds = 1e9;
  std::array<std::int64_t, 3> most = {static_cast<std::int64_t>(own.seconds * kNanoseconds), own.bytes,
                                      own.messages};
  ranks.maximum(most);
  const bool differs = ranks.broadcast(own.digest) != own.digest;
  std::array<std::int64_t, 1> differing = {differs ? 1 : 0};
  ranks.sum(differing);
  if (differing[0] > 0) {
    throw Failure(concat(differing[0], " ranks have other bits than rank 0"));
  }
  if (ranks.rank() == 0) {
    std::printf("%s %.9f %lld %lld %s\n", method.c_str(), static_cast<double>(most[0]) / kNanoseconds,
                static_cast<long long>(most[1]), static_cast<long long>(most[2]), own.digest.c_str());
  }
}

}  // namespace
}  // namespace adapt

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: simulated_exchange METHOD SHARDS_PER_RANK ELEMENTS...\n");
    return 2;
  }
  MPI_Init(&argc, &argv);
  try {
    std::vector<std::size_t> sizes;
    for (int i = 3; i < argc; ++i) {
      sizes.push_back(std::strtoull(argv[i], nullptr, 10));
    }
    adapt::run(argv[1], std::atoi(argv[2]), sizes);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return 0;
}
