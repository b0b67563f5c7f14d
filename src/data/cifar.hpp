#pragma once

#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/options.hpp"

namespace adapt {

/// What tells one member of the CIFAR family from another.
struct CifarLayout {
  std::string folder;
  std::vector<std::string> train_files;
  std::string test_file;
  std::size_t train_records = 0;   ///< in each of the train files
  std::size_t test_records = 0;    ///< in the test file
  std::vector<int> label_classes;  ///< classes of each label byte of a record; the last label is used
  Normalization normalization;
};

/// The official binary versions (https://www.cs.toronto.edu/~kriz/cifar.html).
CifarLayout cifar10_layout();
CifarLayout cifar100_layout();

/// Opens the files that `layout` describes. They have no header, so the layout says how many records there
/// must be. Throws BadInput as open_dataset: missing records, surplus bytes and labels out of range with path
/// and offset.
DataSplits open_cifar(const DataOptions& options, const CifarLayout& layout);

/// What that makes, as describe_dataset says.
DataDescription describe_cifar(const DataOptions& options, const CifarLayout& layout);

}  // namespace adapt
