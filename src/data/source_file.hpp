#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/options.hpp"

namespace adapt {

/// Content of a dataset file with what an error message needs to name a place in it.
struct SourceFile {
  std::filesystem::path path;           ///< the file that was read
  bool compressed = false;              ///< whether `bytes` was inflated: offsets count inflated bytes
  std::span<const std::uint8_t> bytes;  ///< never empty; of a file that is not compressed its own pages
  std::shared_ptr<const void> owner;    ///< of these bytes

  /// Throws BadInput: "PATH: byte OFFSET: expected EXPECTED, found FOUND".
  [[noreturn]] void reject(std::size_t offset, const std::string& expected, const std::string& found) const;

  /// Throws BadInput where there are fewer than `expected` bytes (a truncated file) or more; `content` says
  /// what they hold.
  void check_size(std::size_t expected, const std::string& content) const;
};

/// Where datasets' folders are, and who says so.
struct DataFolder {
  std::filesystem::path path;
  const char* source;  ///< "data.path", ...
};

/// `path` (of data.path) unless it is empty, else $ADAPT_DATA, else ./data.
DataFolder data_folder(const std::string& path);

/// The folder `folder` of the dataset `name`, inside data_folder(options.path). Throws BadInput when it does
/// not exist: where it was looked for and how to get it.
std::filesystem::path find_dataset_folder(const DataOptions& options, const std::string& folder);

/// Opens `path`, whose bytes are mapped. Throws BadInput: missing, a directory, unreadable, empty.
SourceFile read_source(const std::filesystem::path& path);

/// How many bytes a file has, as its header says, and what they hold: "17 images".
struct ExpectedSize {
  std::size_t bytes = 0;
  std::string content;
};

/// Finds that out. Throws where the header is none, with SourceFile::reject().
using SizeByHeader = std::function<ExpectedSize(const SourceFile& file)>;

/// Reads `path` if there is something of that name, else `path`.gz, inflated. `size` is asked once, with the
/// first `header` bytes at least (or all there are); no more than it says and a little is ever inflated. The
/// result has that size. Throws BadInput as read_source, for another size, and for broken, truncated or
/// overlong gzip data with the offset in the compressed file.
SourceFile read_source_or_gzip(const std::filesystem::path& path, std::size_t header,
                               const SizeByHeader& size);

}  // namespace adapt
