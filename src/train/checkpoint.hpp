#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "record/run_log.hpp"

namespace adapt {

/// A training at a step boundary: what it takes to go on from there, bit for bit, on any number of ranks.
struct Checkpoint {
  std::string identity;            ///< of the experiment (run_identity); one of another experiment is refused
  std::int64_t step = 0;           ///< steps done
  std::int64_t epochs = 0;         ///< epochs done, evaluation included
  std::int64_t best_epoch = 0;     ///< epoch of best_model; 0: none yet
  std::vector<ModelTensor> model;  ///< run.h5's /model; empty before the end of the first epoch
  std::vector<ModelTensor> best_model;  ///< run.h5's /best_model, likewise
  std::vector<std::byte> state;         ///< the Trainer's
};

/// A checkpoint as the bytes of a file: format name and version, the fields in order, and last a line with
/// the SHA-256 of all before it. Numbers are in this machine's representation.
std::vector<std::byte> encode(const Checkpoint& checkpoint);

/// The way back. Throws BadInput where the bytes are not whole (the digest does not fit), of another format
/// or version, or make no sense; takes no more memory than a small multiple of the bytes.
Checkpoint decode(std::span<const std::byte> bytes);

}  // namespace adapt
