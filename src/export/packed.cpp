#include <string_view>

#include "base/error.hpp"
#include "export/network.hpp"
#include "export/registry.hpp"

namespace adapt {
namespace {

constexpr std::string_view kMagic = "ADAPTPK1";
constexpr int kFloatBits = 32;

/// Little-endian numbers at the end of `bytes`.
void put(std::vector<std::byte>& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) {
    bytes.push_back(static_cast<std::byte>(value >> static_cast<unsigned>(8 * i) & 0xffU));
  }
}

void put_text(std::vector<std::byte>& bytes, std::string_view text) {
  const auto raw = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// Two's complement of `bits` bits each, the first one in the lowest bits of the first byte; the last byte is
/// filled up with zeros.
void put_bits(std::vector<std::byte>& bytes, std::span<const std::int32_t> values, int bits) {
  const std::uint64_t mask = (std::uint64_t{1} << static_cast<unsigned>(bits)) - 1;
  std::uint64_t held = 0;
  int count = 0;
  for (const std::int32_t value : values) {
    held |= (static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) & mask)
            << static_cast<unsigned>(count);
    for (count += bits; count >= 8; count -= 8) {
      put(bytes, held & 0xffU, 1);
      held >>= 8U;
    }
  }
  if (count > 0) {
    put(bytes, held, 1);
  }
}

void put_tensor(std::vector<std::byte>& bytes, const ModelTensor& tensor) {
  put(bytes, tensor.name.size(), 2);
  put_text(bytes, tensor.name);
  put(bytes, tensor.format ? 0 : 1, 1);
  put(bytes, static_cast<std::uint64_t>(tensor.format ? tensor.format->word_length : kFloatBits), 1);
  put(bytes,
      static_cast<std::uint64_t>(
          static_cast<std::int64_t>(tensor.format ? tensor.format->fractional_length : 0)),
      2);
  put(bytes, tensor.dims.size(), 1);
  for (const std::int64_t dim : tensor.dims) {
    put(bytes, static_cast<std::uint64_t>(dim), 4);
  }
  if (tensor.format) {
    put_bits(bytes, tensor.integers, tensor.format->word_length);
  } else {
    const auto raw = std::as_bytes(std::span(tensor.numbers));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  }
}

}  // namespace

/// The tensors of run.h5 and nothing else, as small as their word lengths make them. src/export/README.md has
/// the layout and a reader in C.
ExportedFile export_packed(const ExportNetwork& network) {
  ExportedFile file;
  put_text(file.bytes, kMagic);
  put(file.bytes, network.stored.tensors.size(), 4);
  for (const ModelTensor& tensor : network.stored.tensors) {
    const std::size_t before = file.bytes.size();
    put_tensor(file.bytes, tensor);
    if (tensor.name.ends_with(".weight")) {
      file.layers.push_back(
          {tensor.name, bits_of(tensor.format), concat(file.bytes.size() - before, " bytes")});
    }
  }
  return file;
}

}  // namespace adapt
