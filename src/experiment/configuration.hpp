#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/options.hpp"
#include "exchange/options.hpp"
#include "mpi/watchdog.hpp"
#include "nn/options.hpp"
#include "precision/options.hpp"
#include "train/options.hpp"

namespace adapt {

/// An experiment: everything that `adapt train` needs to know. One section per module.
struct Configuration {
  std::string name = "experiment";  ///< for people and folder names; no effect on the result
  std::uint64_t seed = 0;           ///< of everything random
  ModelOptions model;
  EngineOptions engine;
  DataOptions data;
  TrainingOptions training;
  PolicyOptions precision;
  ExchangeOptions exchange;
  RecordOptions record;
  CheckpointOptions checkpoint;
  mpi::Options mpi;
};

/// The names that the program knows and that are not those of an enumeration.
struct KnownNames {
  std::vector<std::string> models;
  std::vector<std::string> datasets;
};

/// Reads an experiment file (YAML), puts it on top of the files that its `base` keys name (paths relative to
/// the file) and the defaults, and applies `overrides`: "training.epochs=3", in order, the last one wins.
/// Every key has a type and a range: see configuration_reference(). `engine: emulated` is short for
/// `engine: {name: emulated}`, likewise for every section with a name, policy or encoding.
/// Throws BadInput for the first thing that is wrong, in one line that starts with "FILE:LINE: " or
/// "--set key=value: ".
Configuration load_configuration(const std::filesystem::path& path, const std::vector<std::string>& overrides,
                                 const KnownNames& names);

/// The same from text, such as the resolved configuration in a run's log. `source` names the text in
/// messages; `base` is refused.
Configuration parse_configuration(const std::string& text, const std::string& source,
                                  const std::vector<std::string>& overrides, const KnownNames& names);

/// The configuration as YAML with every key, in a fixed order. Reading it gives the same values, bit for bit.
std::string resolved_yaml(const Configuration& configuration);

/// All keys, "training.epochs", and their values as JSON: "3", "\"adapt\"", "[10, 15]"; in the order of
/// resolved_yaml().
std::vector<std::pair<std::string, std::string>> json_values(const Configuration& configuration);

/// All keys with their defaults, ranges and meanings, as an experiment file with comments.
std::string configuration_reference(const KnownNames& names);

/// SHA-256 (hexadecimal) over all keys and values but those that cannot change a run's trajectory: name,
/// data.path (but where it is what the data are known by), record.*, checkpoint.*, mpi.*. Runs with equal
/// identity are the same experiment. A change of a default changes the identity of the files that rely on it,
/// and of no other. training.threads counts, because float32 results and all times depend on it.
std::string run_identity(const Configuration& configuration);

/// Name of the run's folder in a run store: the first 16 digits of SHA-256 over run.h5's format version and
/// what run_identity() covers.
std::string store_identity(const Configuration& configuration);

/// The first key that counts for the identity and differs, with both values: "training.batch: 64 against
/// 128". Empty where the identities are equal.
std::string identity_difference(const Configuration& a, const Configuration& b);

}  // namespace adapt
