#pragma once

#include "data/dataset.hpp"

// To add a dataset: write one file that defines `DataSplits open_<name>(const DataOptions&, std::uint64_t
// seed)` and `DataDescription describe_<name>(const DataOptions&)`, and add one line ADAPT_DATASET(<name>)
// here. The line declares the functions and lists the name for open_dataset and dataset_names. (Registration
// by a static object would be dropped by the linker: nothing else refers to such a file in the static
// library.)

/// Calls its argument with the name of every dataset.
#define ADAPT_DATASETS(ADAPT_DATASET) \
  ADAPT_DATASET(procedural)           \
  ADAPT_DATASET(mnist)                \
  ADAPT_DATASET(fashion_mnist)        \
  ADAPT_DATASET(kmnist)               \
  ADAPT_DATASET(cifar10)              \
  ADAPT_DATASET(cifar100)

namespace adapt {

/// Each opens, or describes, one dataset; errors as open_dataset. Folds are none of their business.
#define ADAPT_DECLARE_DATASET(name)                                       \
  DataSplits open_##name(const DataOptions& options, std::uint64_t seed); \
  DataDescription describe_##name(const DataOptions& options);
ADAPT_DATASETS(ADAPT_DECLARE_DATASET)
#undef ADAPT_DECLARE_DATASET

}  // namespace adapt
