#include "record/integrity.hpp"

#include <string>
#include <string_view>

#include "base/sha256.hpp"

namespace adapt {
namespace {

constexpr std::string_view kPrefix = "adapt-run sha256 ";
constexpr std::size_t kDigestCharacters = 64;
constexpr std::size_t kSealBytes = kPrefix.size() + kDigestCharacters + 1;

std::string seal_of(std::span<const std::byte> image) { return std::string(kPrefix) + sha256(image) + "\n"; }

}  // namespace

void append_seal(std::vector<std::byte>& image) {
  const std::string seal = seal_of(image);
  const auto bytes = std::as_bytes(std::span(seal));
  image.insert(image.end(), bytes.begin(), bytes.end());
}

Seal check_seal(std::span<const std::byte> file) {
  if (file.size() < kSealBytes) {
    return Seal::absent;
  }
  const auto last = file.last(kSealBytes);
  const std::string_view seal(reinterpret_cast<const char*>(last.data()), last.size());
  if (!seal.starts_with(kPrefix)) {
    return Seal::absent;
  }
  return seal == seal_of(file.first(file.size() - kSealBytes)) ? Seal::intact : Seal::broken;
}

}  // namespace adapt
