#include <algorithm>

#include "base/sha256.hpp"
#include "harness.hpp"
#include "record/weights_file.hpp"

/// The first byte says whether the rest is an archive of arrays or a model of ONNX.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  if (size == 0) {
    return 0;
  }
  const std::filesystem::path path = fuzz::folder() / (data[0] % 2 == 0 ? "weights.npz" : "weights.onnx");
  fuzz::write_file(path, fuzz::text_of(data + 1, size - 1));
  fuzz::read_or_refuse([&] {
    for (const ModelTensor& tensor : read_weights(path, weights_digest(path)).tensors) {
      std::size_t elements = 1;
      for (const std::int64_t dim : tensor.dims) {
        elements *= static_cast<std::size_t>(dim);
      }
      fuzz::require(std::max(tensor.numbers.size(), tensor.integers.size()) == elements);
    }
  });
  return 0;
}
