// The bytes are the only file of a training set of two records.

#include "data/cifar.hpp"
#include "harness.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adapt;
  constexpr std::size_t kRecord = 1 + 3 * 32 * 32;
  CifarLayout layout = cifar10_layout();
  layout.train_files.resize(1);
  layout.train_records = 2;
  layout.test_records = 1;
  fuzz::write_file(fuzz::folder() / layout.folder / layout.train_files[0], fuzz::text_of(data, size));
  fuzz::write_file(fuzz::folder() / layout.folder / layout.test_file, std::string(kRecord, '\x01'));
  DataOptions options;
  options.path = fuzz::folder();
  fuzz::read_or_refuse([&] { fuzz::require(open_cifar(options, layout).train->size() == 2); });
  return 0;
}
