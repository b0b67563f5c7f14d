#include "data/node_dataset.hpp"

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "data/memory_dataset.hpp"
#include "mpi/shared_memory.hpp"

namespace adapt {
namespace {

constexpr std::size_t kLabelBytes = sizeof(std::int32_t);

/// What the other ranks must know of a split.
struct Description {
  std::int64_t size = 0;
  ImageShape shape;
  int classes = 0;

  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(size) * (static_cast<std::size_t>(shape.elements()) + kLabelBytes);
  }
};

/// Both splits, as one message.
struct Header {
  std::array<Description, 2> splits;
  Normalization normalization;
  bool has_room = false;
};
static_assert(std::is_trivially_copyable_v<Header>);

Description describe(const Dataset& dataset) { return {dataset.size(), dataset.shape(), dataset.classes()}; }

/// What the first rank has written: labels, then images.
std::shared_ptr<const Dataset> open(const Description& description, std::span<const std::byte> memory) {
  ImageBlocks images = {.shape = description.shape, .classes = description.classes};
  images.labels.resize(static_cast<std::size_t>(description.size));
  const std::span<const std::byte> labels = memory.first(images.labels.size() * kLabelBytes);
  std::memcpy(images.labels.data(), labels.data(), labels.size());
  const std::span<const std::byte> pixels = memory.subspan(labels.size());
  images.blocks.push_back({.bytes = {reinterpret_cast<const std::uint8_t*>(pixels.data()), pixels.size()},
                           .distance = static_cast<std::size_t>(description.shape.elements()),
                           .images = description.size});
  return std::make_shared<MemoryDataset>(std::move(images));
}

/// As `open` reads it. What was copied is forgotten.
void copy(const Dataset& dataset, std::span<std::byte> memory) {
  const auto elements = static_cast<std::size_t>(dataset.shape().elements());
  const std::span<std::byte> labels = memory.first(static_cast<std::size_t>(dataset.size()) * kLabelBytes);
  std::span<std::byte> images = memory.subspan(labels.size());
  for (std::int64_t index = 0; index < dataset.size(); ++index) {
    auto* const pixels = reinterpret_cast<std::uint8_t*>(images.data());
    const std::int32_t label = dataset.read(index, {pixels, elements});
    std::memcpy(&labels[static_cast<std::size_t>(index) * kLabelBytes], &label, kLabelBytes);
    images = images.subspan(elements);
    constexpr std::int64_t kPiece = 1024;
    if (index % kPiece == kPiece - 1) {
      dataset.forget_before(index + 1);
    }
  }
}

}  // namespace

DataSplits share_on_node(DataSplits own, const mpi::Communicator& node) {
  Header header;
  if (node.rank() == 0) {
    header.splits = {describe(*own.train), describe(*own.test)};
    header.normalization = own.normalization;
    header.has_room = mpi::SharedMemory::has_room(header.splits[0].bytes() + header.splits[1].bytes());
  }
  node.broadcast(std::as_writable_bytes(std::span(&header, 1)));
  if (!header.has_room) {
    return {};
  }
  const auto [train, test] = header.splits;
  const mpi::SharedMemory memory(node, train.bytes() + test.bytes());
  const std::span<std::byte> of_train = memory.bytes().first(train.bytes());
  const std::span<std::byte> of_test = memory.bytes().subspan(train.bytes(), test.bytes());
  if (node.rank() == 0) {
    copy(*own.test, of_test);
    own.test.reset();
    copy(*own.train, of_train);
    own.train.reset();
  }
  memory.publish(node);
  return {open(train, of_train), open(test, of_test), header.normalization};
}

}  // namespace adapt
