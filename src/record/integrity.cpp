#include "record/integrity.hpp"

#include <string>
#include <string_view>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "record/layout.hpp"

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

std::string done_text(std::span<const std::byte> file) {
  return concat(sha256(file), "  ", layout::kFileName, "\n");
}

std::optional<std::string> read_done(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / layout::kDoneName;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  try {
    return read_text(path, kSmallFile);
  } catch (const BadInput&) {
    return "";
  }
}

Done check_done(const std::optional<std::string>& done, std::span<const std::byte> file) {
  if (!done) {
    return Done::absent;
  }
  return done->starts_with(sha256(file)) ? Done::matches : Done::foreign;
}

Done check_done(const std::filesystem::path& folder) {
  const std::optional<std::string> done = read_done(folder);
  if (!done) {
    return Done::absent;
  }
  try {
    return check_done(done, read_file(folder / layout::kFileName, layout::kLargestRunFile));
  } catch (const BadInput&) {
    return Done::foreign;
  }
}

}  // namespace adapt
