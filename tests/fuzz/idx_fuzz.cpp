// The first byte says which file of a good data set the rest replaces: images or labels, plain or compressed.

#include <filesystem>

#include "data/dataset.hpp"
#include "harness.hpp"

namespace {

using namespace std::string_view_literals;

constexpr std::size_t kImage = 28 * 28;

std::string images() {
  return std::string("\0\0\x08\x03\0\0\0\x02\0\0\0\x1c\0\0\0\x1c"sv) + std::string(2 * kImage, '\x05');
}

std::string labels() { return std::string("\0\0\x08\x01\0\0\0\x02\x03\x09"sv); }

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  static const std::filesystem::path mnist = fuzz::folder() / "mnist";
  if (size == 0) {
    return 0;
  }
  std::filesystem::remove_all(mnist);
  for (const char* split : {"train", "t10k"}) {
    fuzz::write_file(mnist / concat(split, "-images-idx3-ubyte"), images());
    fuzz::write_file(mnist / concat(split, "-labels-idx1-ubyte"), labels());
  }
  const char* replaced = data[0] % 2 == 0 ? "train-images-idx3-ubyte" : "train-labels-idx1-ubyte";
  std::filesystem::remove(mnist / replaced);
  fuzz::write_file(mnist / concat(replaced, data[0] % 4 < 2 ? "" : ".gz"), fuzz::text_of(data + 1, size - 1));
  DataOptions options;
  options.name = "mnist";
  options.path = fuzz::folder();
  fuzz::read_or_refuse([&] { fuzz::require(open_dataset(options, 1).train->size() == 2); });
  return 0;
}
