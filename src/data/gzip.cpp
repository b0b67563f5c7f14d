#include "data/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace adapt {
namespace {

/// Owns a zlib stream that reads gzip.
class GzipStream {
 public:
  GzipStream() {
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) {
      throw Failure("zlib: inflateInit2 failed");
    }
  }
  ~GzipStream() { inflateEnd(&stream_); }
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;
  z_stream& operator*() { return stream_; }

 private:
  z_stream stream_ = {};
};

}  // namespace

std::vector<std::uint8_t> inflate_gzip(std::span<const std::uint8_t> compressed, const std::string& path) {
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  GzipStream owner;
  z_stream& stream = *owner;
  std::vector<std::uint8_t> bytes;
  std::size_t read = 0;
  std::size_t written = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END || read < compressed.size()) {
    if (status == Z_STREAM_END && inflateReset(&stream) != Z_OK) {
      throw Failure("zlib: inflateReset failed");
    }
    bytes.resize(std::max(bytes.size(), written + kPiece));
    const std::size_t piece_in = std::min(kPiece, compressed.size() - read);
    const std::size_t piece_out =
        std::min<std::size_t>(bytes.size() - written, std::numeric_limits<uInt>::max());
    stream.next_in = const_cast<Bytef*>(compressed.data() + read);  // zlib does not write through it
    stream.avail_in = static_cast<uInt>(piece_in);
    stream.next_out = bytes.data() + written;
    stream.avail_out = static_cast<uInt>(piece_out);
    status = inflate(&stream, Z_NO_FLUSH);
    read += piece_in - stream.avail_in;
    written += piece_out - stream.avail_out;
    if (status == Z_BUF_ERROR) {
      throw BadInput(
          concat(path, ": byte ", read, " (compressed): expected more gzip data, found the end of the file"));
    }
    if (status != Z_OK && status != Z_STREAM_END) {
      throw BadInput(concat(path, ": byte ", read, " (compressed): expected valid gzip data, found ",
                            stream.msg == nullptr ? "an error" : stream.msg));
    }
  }
  bytes.resize(written);
  return bytes;
}

}  // namespace adapt
