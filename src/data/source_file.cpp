#include "data/source_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/error.hpp"
#include "base/mapped_file.hpp"
#include "base/stop_signal.hpp"
#include "data/gzip.hpp"

namespace adapt {
namespace {

/// Whether there is an entry of that name, even one that cannot be opened (so that its own error is shown).
bool entry_exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found;
}

[[noreturn]] void reject_missing(const std::filesystem::path& path, const char* alternative) {
  throw BadInput(concat("missing ", path.string(), alternative,
                        ": the dataset's folder is incomplete; expected all files that data/README.md lists "
                        "(data/fetch.sh gets "
                        "published datasets anew where their folder is moved away)"));
}

SourceFile mapped(const std::filesystem::path& path) {
  check_stop();
  const auto file = std::make_shared<const MappedFile>(path);
  if (file->bytes().empty()) {
    throw BadInput(concat(path.string(), ": byte 0: expected data, found an empty file"));
  }
  return {path, false, file->bytes(), file};
}

}  // namespace

void SourceFile::reject(std::size_t offset, const std::string& expected, const std::string& found) const {
  throw BadInput(concat(path.string(), ": byte ", offset, compressed ? " (uncompressed)" : "", ": expected ",
                        expected, ", found ", found));
}

void SourceFile::check_size(std::size_t expected, const std::string& content) const {
  const std::size_t size = bytes.size();
  if (size < expected) {
    reject(size, concat(expected, " bytes (", content, ")"),
           concat("the end after ", size, " bytes: a truncated file"));
  }
  if (size > expected) {
    reject(expected, concat("the end after ", expected, " bytes (", content, ")"),
           concat(size - expected, " surplus bytes", compressed ? " or more" : ""));
  }
}

DataFolder data_folder(const std::string& path) {
  if (!path.empty()) {
    return {path, "data.path"};
  }
  const char* variable = std::getenv("ADAPT_DATA");
  if (variable != nullptr && *variable != '\0') {
    return {variable, "$ADAPT_DATA"};
  }
  return {"data", "the default, as data.path and $ADAPT_DATA are not set"};
}

std::filesystem::path find_dataset_folder(const DataOptions& options, const std::string& folder) {
  const auto [parent, source] = data_folder(options.path);
  std::filesystem::path result = parent / folder;
  std::error_code ignored;
  if (!std::filesystem::is_directory(result, ignored)) {
    throw BadInput(concat("dataset ", options.name, " not found: no folder ", result.string(), " (in ",
                          parent.string(), ": ", source, "); get it with `data/fetch.sh ", options.name, " ",
                          parent.string(), "`, or use the built-in data.name: procedural"));
  }
  return result;
}

SourceFile read_source(const std::filesystem::path& path) {
  if (!entry_exists(path)) {
    reject_missing(path, "");
  }
  return mapped(path);
}

SourceFile read_source_or_gzip(const std::filesystem::path& path, std::size_t header,
                               const SizeByHeader& size) {
  std::filesystem::path compressed = path;
  compressed += ".gz";
  if (entry_exists(path)) {
    SourceFile file = read_source(path);
    const ExpectedSize expected = size(file);
    file.check_size(expected.bytes, expected.content);
    return file;
  }
  if (!entry_exists(compressed)) {
    reject_missing(path, "[.gz]");
  }
  const SourceFile source = mapped(compressed);
  GzipReader reader(source.bytes, compressed.string());
  const auto bytes = std::make_shared<std::vector<std::uint8_t>>();
  SourceFile file{compressed, true, {}, bytes};
  reader.read(header, *bytes);
  file.bytes = *bytes;
  if (bytes->empty()) {
    file.reject(0, "data", "nothing");
  }
  const ExpectedSize expected = size(file);
  constexpr std::size_t kSurplus = 4096;  // enough to say how much there is too much
  reader.read(expected.bytes - std::min(expected.bytes, bytes->size()) + kSurplus, *bytes);
  file.bytes = *bytes;
  file.check_size(expected.bytes, expected.content);
  return file;
}

}  // namespace adapt
