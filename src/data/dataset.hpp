#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/options.hpp"

namespace adapt {

/// Size of an image, stored (height, width, channels), channels last.
struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 0;

  [[nodiscard]] std::int64_t elements() const { return std::int64_t{height} * width * channels; }
  bool operator==(const ImageShape&) const = default;
};

/// Per-channel constants of (x / 255 - mean) / deviation.
struct Normalization {
  std::array<float, 3> mean = {};
  std::array<float, 3> deviation = {1, 1, 1};
};

/// One split (training or test) of a labelled image set: an immutable sequence of uint8 images.
/// Reading is safe from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  Dataset() = default;
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual ImageShape shape() const = 0;
  [[nodiscard]] virtual int classes() const = 0;
  /// Writes image `index` (0 <= index < size) into `pixels` (shape().elements() bytes, channels last) and
  /// returns its label.
  virtual int read(std::int64_t index, std::span<std::uint8_t> pixels) const = 0;
  /// Images before `index` are not read any more: their memory may go.
  virtual void forget_before(std::int64_t /*index*/) const {}
  /// Whether the images are pages of files, which the processes of a machine share without further ado.
  [[nodiscard]] virtual bool is_mapped() const { return false; }
  /// SHA-256 that identifies the content, for provenance.
  [[nodiscard]] virtual std::string checksum() const = 0;
};

/// Both splits with what is needed to feed them to a network.
struct DataSplits {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
  Normalization normalization;
};

/// What open_dataset makes of the same options, known before any image is read: of known datasets, as many
/// images as the official ones have; of others, what their files say.
struct DataDescription {
  ImageShape shape;
  int classes = 0;
  std::int64_t images = 0;         ///< of both splits
  std::int64_t bytes = 0;          ///< that they take; those of files without compression can do with less
  std::int64_t opening_bytes = 0;  ///< most that they and the files take while they are read
  bool in_files = true;            ///< rather than computed
};

/// Throws BadInput for an unknown name; where data.path says which images they are, also as open_dataset.
DataDescription describe_dataset(const DataOptions& options);

/// Opens the dataset `options.name`, cut into folds where `options.folds` says so. `seed` matters to the
/// procedural dataset and to the folds only. Throws BadInput: unknown name; a missing or bad file, with path,
/// offset, expected and found; more folds than images.
DataSplits open_dataset(const DataOptions& options, std::uint64_t seed);

/// Whether data.path is what says which images they are, as of files of anybody's own, and not only where a
/// known dataset lies.
bool is_its_path(const std::string& name);

/// Names that open_dataset knows.
std::vector<std::string> dataset_names();

}  // namespace adapt
