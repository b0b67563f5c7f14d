#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace adapt {

/// Inflates gzip data (RFC 1952; several members in a row are joined). `path` names it in errors. Throws
/// BadInput for broken, truncated or surplus data: path, offset in the compressed data, expected and found.
std::vector<std::uint8_t> inflate_gzip(std::span<const std::uint8_t> compressed, const std::string& path);

}  // namespace adapt
