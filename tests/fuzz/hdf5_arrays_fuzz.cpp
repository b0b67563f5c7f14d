// The bytes are an HDF5 file that may hold arrays; a child process looks at it.

#include <array>

#include "base/isolated.hpp"
#include "data/stored_array.hpp"
#include "harness.hpp"

/// main() of libFuzzer and driver.cpp begin with this.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  adapt::serve_isolated(*argc, *argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  static const std::filesystem::path path = fuzz::folder() / "arrays.h5";
  static const std::array<std::string, 2> names = {"train_images", "train_labels"};
  std::filesystem::remove(path);
  fuzz::write_file(path, fuzz::text_of(data, size));
  fuzz::read_or_refuse([&] {
    for (const StoredArray& array : find_in_hdf5(path, names)) {
      fuzz::require(array.elements().size() <= size);
    }
  });
  return 0;
}
