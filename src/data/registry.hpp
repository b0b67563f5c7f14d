#pragma once

#include <array>
#include <string_view>

#include "data/dataset.hpp"

namespace adapt {

// To add a dataset, write a file that defines open_NAME and describe_NAME, and add a word to each of the
// three lists below. (Registration by a static object would be dropped by the linker: nothing else refers to
// such a file in the static library.)

/// Opens, or describes, one dataset; errors as open_dataset. Folds are none of their business.
using OpenDataset = DataSplits(const DataOptions& options, std::uint64_t seed);
using DescribeDataset = DataDescription(const DataOptions& options);

OpenDataset open_procedural;
OpenDataset open_mnist;
OpenDataset open_fashion_mnist;
OpenDataset open_kmnist;
OpenDataset open_cifar10;
OpenDataset open_cifar100;
OpenDataset open_arrays;
OpenDataset open_png_folder;

DescribeDataset describe_procedural;
DescribeDataset describe_mnist;
DescribeDataset describe_fashion_mnist;
DescribeDataset describe_kmnist;
DescribeDataset describe_cifar10;
DescribeDataset describe_cifar100;
DescribeDataset describe_arrays;
DescribeDataset describe_png_folder;

struct DatasetEntry {
  std::string_view name;
  OpenDataset* open;
  DescribeDataset* describe;
  bool is_its_path = false;  ///< which images they are, says data.path
};

/// Every dataset, by the name under `data.name`.
inline constexpr std::array kDatasets = {
    DatasetEntry{"procedural", open_procedural, describe_procedural},
    DatasetEntry{"mnist", open_mnist, describe_mnist},
    DatasetEntry{"fashion_mnist", open_fashion_mnist, describe_fashion_mnist},
    DatasetEntry{"kmnist", open_kmnist, describe_kmnist},
    DatasetEntry{"cifar10", open_cifar10, describe_cifar10},
    DatasetEntry{"cifar100", open_cifar100, describe_cifar100},
    DatasetEntry{"arrays", open_arrays, describe_arrays, /*is_its_path=*/true},
    DatasetEntry{"png_folder", open_png_folder, describe_png_folder, /*is_its_path=*/true},
};

}  // namespace adapt
