#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace adapt {

/// Inflates gzip data (RFC 1952; several members in a row are joined) piece by piece: a thousand times as
/// many bytes may come out as there are in the file, so whoever reads says how many are wanted.
class GzipReader {
 public:
  /// `compressed` is not copied; `path` names it in errors.
  GzipReader(std::span<const std::uint8_t> compressed, std::string path);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Appends the next bytes to `bytes`, `count` of them or as many as are left; that nothing is left is said
  /// by a call that appends fewer. Throws BadInput for broken, truncated or surplus data: path, offset in the
  /// compressed data, expected and found.
  void read(std::size_t count, std::vector<std::uint8_t>& bytes);

 private:
  struct Stream;

  std::span<const std::uint8_t> compressed_;
  std::string path_;
  std::unique_ptr<Stream> stream_;
  std::size_t taken_ = 0;      ///< compressed bytes so far
  bool member_ended_ = false;  ///< and no other one has begun
};

}  // namespace adapt
