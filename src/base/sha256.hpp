#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace adapt {

/// Streaming SHA-256 (FIPS 180-4) of bytes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  /// Lower-case hexadecimal digest; call once.
  [[nodiscard]] std::string finish();

 private:
  void* context_;
};

/// SHA-256 of `bytes` in lower-case hexadecimal.
[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);

}  // namespace adapt
