#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hdf5/superblock.hpp"

namespace adapt::fuzz {

/// Makes the checksums of an HDF5 file's metadata right, wherever a signature says that metadata lie: of the
/// superblock, object headers and what continues them, version 2 B-trees of one level, fractional heaps
/// without filters and of direct blocks only, extensible arrays without data blocks, and fixed arrays of one
/// page. A small file has no others. Follows the HDF5 File Format Specification 3.0, for addresses and
/// lengths of 8 bytes.
class ChecksumRepair {
 public:
  explicit ChecksumRepair(std::span<std::uint8_t> file) : file_(file) {}

  void run() {
    seal(0, kSuperblock);
    for (std::size_t at = 0; at < file_.size(); ++at) {
      if (is(at, "OHDR")) {
        object_header(at);
      } else if (is(at, "BTHD")) {
        tree(at);
      } else if (is(at, "FRHP")) {
        heap(at);
      } else if (is(at, "EAHD")) {
        extensible_array(at);
      } else if (is(at, "FAHD")) {
        fixed_array(at);
      }
    }
  }

 private:
  static constexpr std::size_t kSuperblock = 44;  ///< bytes before the checksum, as all of these
  static constexpr std::size_t kTreeHeader = 34;
  static constexpr std::size_t kHeapHeader = 142;
  static constexpr std::size_t kExtensibleArrayHeader = 68;
  static constexpr std::size_t kFixedArrayHeader = 24;
  static constexpr std::size_t kAddress = 8;
  static constexpr std::size_t kChecksum = 4;
  static constexpr int kMostContinuations = 8;  ///< one behind another

  [[nodiscard]] bool is(std::size_t at, std::string_view signature) const {
    return at + signature.size() <= file_.size() &&
           std::equal(signature.begin(), signature.end(), file_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  /// Little-endian; 0 behind the end of the file.
  [[nodiscard]] std::uint64_t number(std::uint64_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) {
      value = value << 8U | (at < file_.size() && i < file_.size() - at ? file_[at + i] : 0U);
    }
    return value;
  }

  [[nodiscard]] std::uint64_t address(std::uint64_t at) const { return number(at, kAddress); }

  /// Whether `bytes` and a checksum lie at `begin`.
  [[nodiscard]] bool fits(std::uint64_t begin, std::uint64_t bytes) const {
    return begin <= file_.size() && bytes <= file_.size() - begin &&
           kChecksum <= file_.size() - begin - bytes;
  }

  void put_checksum(std::uint64_t at, std::uint32_t checksum) {
    for (std::size_t i = 0; i < kChecksum; ++i) {
      file_[at + i] = static_cast<std::uint8_t>(checksum >> (8 * i));
    }
  }

  [[nodiscard]] std::uint32_t checksum(std::uint64_t begin, std::uint64_t bytes) const {
    return hdf5::lookup3(std::as_bytes(file_.subspan(begin, bytes)));
  }

  /// The checksum follows what it is of.
  void seal(std::uint64_t begin, std::uint64_t bytes) {
    if (fits(begin, bytes)) {
      put_checksum(begin + bytes, checksum(begin, bytes));
    }
  }

  void object_header(std::uint64_t at) {
    const std::uint64_t flags = number(at + 5, 1);
    const std::size_t width = std::size_t{1} << (flags & 3U);
    const std::uint64_t size_at = at + 6 + ((flags & 0x20U) != 0 ? 16 : 0) + ((flags & 0x10U) != 0 ? 4 : 0);
    const std::uint64_t messages = size_at + width;
    const std::uint64_t size = number(size_at, width);
    if (fits(messages, size)) {
      seal(at, messages + size - at);
      continuations(messages, messages + size, (flags & 4U) != 0 ? 6 : 4, kMostContinuations);
    }
  }

  /// What the messages from `at` to `end` name as their continuation. `header`: bytes before each message.
  void continuations(std::uint64_t at, std::uint64_t end, std::size_t header, int left) {
    constexpr std::uint64_t kContinuation = 0x10;
    for (; at + header <= end; at += header + number(at + 1, 2)) {
      const std::uint64_t chunk = address(at + header);
      const std::uint64_t bytes = address(at + header + kAddress) - kChecksum;
      if (number(at, 1) == kContinuation && left > 0 && fits(chunk, bytes)) {
        seal(chunk, bytes);
        continuations(chunk + 4, chunk + bytes, header, left - 1);
      }
    }
  }

  void tree(std::uint64_t at) {
    seal(at, kTreeHeader);
    seal(address(at + 16), 6 + number(at + 24, 2) * number(at + 10, 2));
  }

  void heap(std::uint64_t at) {
    seal(at, kHeapHeader);
    const std::uint64_t width = number(at + 110, 2);
    const std::uint64_t root = address(at + 132);
    const std::uint64_t blocks = number(at + 140, 2) * width;
    const std::uint64_t prefix = 13 + (number(at + 128, 2) + 7) / 8;
    const std::uint64_t size = address(at + 112);
    if (blocks == 0) {
      direct_block(root, prefix, size);
    } else if (fits(root, prefix + blocks * kAddress)) {
      seal(root, prefix + blocks * kAddress);
      for (std::uint64_t i = 0; i < blocks; ++i) {
        // Blocks of the first two rows have the same size, those of each later row twice that of the last.
        const std::uint64_t doublings =
            std::min<std::uint64_t>(std::max<std::uint64_t>(i / width, 1) - 1, 63);
        direct_block(address(root + prefix + i * kAddress), prefix, size << doublings);
      }
    }
  }

  /// Its checksum lies behind the prefix, and counts as 0 itself.
  void direct_block(std::uint64_t at, std::uint64_t prefix, std::uint64_t size) {
    if (size >= prefix + kChecksum && fits(at, size - kChecksum)) {
      put_checksum(at + prefix, 0);
      put_checksum(at + prefix, checksum(at, size));
    }
  }

  void extensible_array(std::uint64_t at) {
    seal(at, kExtensibleArrayHeader);
    const std::uint64_t pointers = number(at + 10, 1);
    const auto bits_of = [](std::uint64_t value) {
      return static_cast<std::uint64_t>(std::bit_width(value));
    };
    const std::uint64_t super_blocks = 2 + number(at + 7, 1) - bits_of(number(at + 9, 1));
    const std::uint64_t addresses = 2 * pointers + super_blocks - 2 * bits_of(pointers);
    seal(address(at + 60), 14 + number(at + 6, 1) * number(at + 8, 1) + addresses * kAddress);
  }

  void fixed_array(std::uint64_t at) {
    seal(at, kFixedArrayHeader);
    seal(address(at + 16), 14 + number(at + 6, 1) * address(at + 8));
  }

  std::span<std::uint8_t> file_;
};

}  // namespace adapt::fuzz
