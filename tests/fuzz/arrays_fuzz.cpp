// The first byte says which file of a good folder of arrays the rest replaces: images or labels.

#include <filesystem>

#include "data/dataset.hpp"
#include "harness.hpp"

namespace {

using namespace std::string_view_literals;

std::string npy(std::string_view type, std::string_view shape, std::size_t bytes, char last) {
  std::string description = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" +
                            std::string(shape) + "), }\n";
  std::string file =
      std::string("\x93NUMPY\x01\0"sv) + static_cast<char>(description.size()) + '\0' + description;
  return file + std::string(bytes - 1, '\0') + last;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  static const std::filesystem::path folder = fuzz::folder() / "arrays";
  if (size == 0) {
    return 0;
  }
  std::filesystem::remove_all(folder);
  for (const char* split : {"train", "test"}) {
    fuzz::write_file(folder / concat(split, "_images.npy"), npy("|u1", "2, 2, 3, 1", 12, 5));
    fuzz::write_file(folder / concat(split, "_labels.npy"), npy("|u1", "2,", 2, 1));
  }
  const char* replaced = data[0] % 2 == 0 ? "train_images.npy" : "train_labels.npy";
  std::filesystem::remove(folder / replaced);
  fuzz::write_file(folder / replaced, fuzz::text_of(data + 1, size - 1));
  DataOptions options;
  options.name = "arrays";
  options.path = folder;
  fuzz::read_or_refuse([&] { fuzz::require(open_dataset(options, 1).train->size() == 2); });
  return 0;
}
