#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hdf5/datatype.hpp"
#include "record/columns.hpp"
#include "record/run_log.hpp"

/// What run.h5 looks like inside: the names, types and units that run_log.cpp writes and run_file.cpp reads.
namespace adapt::layout {

inline constexpr const char* kFileName = "run.h5";
inline constexpr const char* kDoneName = "DONE";
/// In bytes; a run of a million steps takes a tenth of it.
inline constexpr std::uintmax_t kLargestRunFile = std::uintmax_t{1} << 31U;

inline constexpr const char* kFormatName = "adapt-run";
/// Grows when a program that knows this version could misread a file.
inline constexpr std::int64_t kFormatVersion = 1;

/// Groups of the two models that a run keeps, and the attribute of the best one's that says after which epoch
/// it was.
inline constexpr const char* kModelGroup = "model";
inline constexpr const char* kBestModelGroup = "best_model";
inline constexpr const char* kBestEpoch = "epoch";

/// Longest names that the fixed-width texts of the tables hold, in bytes.
inline constexpr std::size_t kStrategyBytes = 16;
inline constexpr std::size_t kLayerNameBytes = 96;

/// A format as three columns: float32 counts as 32 bits, so that sums over word lengths need no special case.
struct StoredFormat {
  std::int32_t word_length = 32;
  std::int32_t fractional_length = 0;
  std::int8_t is_float32 = 1;
};

/// A format to compute with (see quantize.hpp). Throws hdf5::Error, naming `where`, for other numbers.
FixedFormat checked_format(std::int64_t word_length, std::int64_t fractional_length,
                           const std::string& where);

StoredFormat to_stored(const std::optional<FixedFormat>& format);
/// Throws hdf5::Error, naming `where`, when this is no format.
std::optional<FixedFormat> from_stored(const StoredFormat& stored, const std::string& where);

/// One row of /layers/<name>.
struct StoredLayerRow {
  std::int64_t step = 0;
  StoredFormat weights;
  StoredFormat inputs;
  StoredFormat outputs;
  StoredFormat gradients;
  StoredFormat operands;
  StoredFormat activation_gradients;
  LayerState state;
  double density = 1;
  double dead_channels = 0;
  LayerLosses losses;
};

StoredLayerRow to_stored(const LayerRecord& record);
LayerRecord from_stored(const StoredLayerRow& stored, const std::string& where);

/// One row of /switches, a compound dataset. Its fields have the same names there.
struct StoredSwitch {
  std::int64_t step = 0;
  hdf5::FixedText<kLayerNameBytes> layer;
  std::int32_t layer_index = 0;
  StoredFormat before;
  StoredFormat after;
  StoredFormat minimal;
  std::int32_t lookback = 0;
  std::int32_t resolution = 0;
  double diversity = 0;
  double divergence = 0;
  hdf5::FixedText<kStrategyBytes> strategy;
};

StoredSwitch to_stored(const SwitchEvent& event, const std::string& layer);
SwitchEvent from_stored(const StoredSwitch& stored, const std::vector<LoggedLayer>& layers);

/// A field of StoredSwitch.
struct SwitchField {
  std::string name;
  std::size_t offset;
  hdf5::Datatype type;
};
std::vector<SwitchField> switch_fields();
/// StoredSwitch in memory.
hdf5::Datatype switch_type();

const std::vector<Column<StepRecord>>& step_columns();
const std::vector<Column<EpochRecord>>& epoch_columns();
const std::vector<Column<StoredLayerRow>>& layer_columns();

}  // namespace adapt::layout
