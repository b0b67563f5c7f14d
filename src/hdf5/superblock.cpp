#include "hdf5/superblock.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "hdf5/handle.hpp"

namespace adapt::hdf5 {
namespace {

using State = std::array<std::uint32_t, 3>;

constexpr std::size_t kBlock = 3 * sizeof(std::uint32_t);

/// Adds up to 12 bytes to the state, as three little-endian words; bytes that are not there count as 0.
void add(State& state, std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    state.at(i / 4) += static_cast<std::uint32_t>(bytes[i]) << (8 * (i % 4));
  }
}

void mix(State& state) {
  auto& [a, b, c] = state;
  const auto step = [](std::uint32_t& x, std::uint32_t& y, std::uint32_t z, int shift) {
    x -= y;
    x ^= std::rotl(y, shift);
    y += z;
  };
  step(a, c, b, 4);
  step(b, a, c, 6);
  step(c, b, a, 8);
  step(a, c, b, 16);
  step(b, a, c, 19);
  step(c, b, a, 4);
}

void mix_last(State& state) {
  auto& [a, b, c] = state;
  const auto step = [](std::uint32_t& x, std::uint32_t y, int shift) { x = (x ^ y) - std::rotl(y, shift); };
  step(c, b, 14);
  step(a, c, 11);
  step(b, a, 25);
  step(c, b, 16);
  step(a, c, 4);
  step(b, a, 14);
  step(c, b, 24);
}

}  // namespace

std::uint32_t lookup3(std::span<const std::byte> bytes) {
  const std::uint32_t start = 0xdeadbeefU + static_cast<std::uint32_t>(bytes.size());
  State state = {start, start, start};
  if (bytes.empty()) {
    return start;
  }
  for (; bytes.size() > kBlock; bytes = bytes.subspan(kBlock)) {
    add(state, bytes.first(kBlock));
    mix(state);
  }
  add(state, bytes);
  mix_last(state);
  return state[2];
}

void repair_superblock_checksum(std::span<std::byte> image) {
  // Signature (8), version, size of offsets, size of lengths, flags, then four offsets and the checksum.
  constexpr std::size_t kFixed = 12;
  constexpr std::size_t kVersionAt = 8;
  constexpr std::size_t kOffsetSizeAt = 9;
  const int version = image.size() > kFixed ? std::to_integer<int>(image[kVersionAt]) : -1;
  const std::size_t checksum_at =
      version < 0 ? 0 : kFixed + 4 * std::to_integer<std::size_t>(image[kOffsetSizeAt]);
  if ((version != 2 && version != 3) || image.size() < checksum_at + sizeof(std::uint32_t)) {
    throw Error("an HDF5 image starts with an unexpected superblock, expected version 2 or 3");
  }
  const std::uint32_t checksum = lookup3(image.first(checksum_at));
  for (std::size_t i = 0; i < sizeof(checksum); ++i) {
    image[checksum_at + i] = static_cast<std::byte>(checksum >> (8 * i));
  }
}

}  // namespace adapt::hdf5
