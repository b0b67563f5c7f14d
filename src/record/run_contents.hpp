#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "record/integrity.hpp"
#include "record/run_log.hpp"

namespace adapt {

/// The model after the epoch with the best test accuracy.
struct BestModel {
  std::int64_t epoch = 0;  ///< from 1; 0: there is none
  std::vector<ModelTensor> tensors;
};

/// How much of a run.h5 is read.
enum class RunParts : std::uint8_t {
  overview,  ///< what a list of runs shows: configuration, provenance, summary, epochs
  all,
};

/// What a run.h5 holds. The second half is empty in an overview.
struct RunContents {
  Done done = Done::absent;  ///< what DONE beside the file says of these bytes
  bool stripped = false;     ///< a copy that analysis/strip.py made of a finished run
  std::string configuration;
  std::string graph;  ///< the network, as a model file; empty: an older adapt
  std::map<std::string, std::string> provenance;
  std::map<std::string, double> summary;
  std::vector<EpochRecord> epochs;

  std::vector<LoggedLayer> layers;
  std::vector<StepRecord> steps;
  std::vector<SwitchEvent> switches;
  std::map<std::string, std::vector<LayerRecord>> layer_rows;  ///< by the layer's name
  std::vector<ModelTensor> model;
  BestModel best_model;
};

/// As bytes, for another process of this program, and back. What that process has read may have spoilt it:
/// decode_run_contents throws BadInput for what no run holds.
std::vector<std::byte> encode(RunContents contents);
RunContents decode_run_contents(std::span<const std::byte> bytes);

}  // namespace adapt
