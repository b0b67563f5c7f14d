#include "data/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20U;

}  // namespace

struct GzipReader::Stream {
  Stream() {
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&zlib, MAX_WBITS + kGzipOnly) != Z_OK) {
      throw Failure("zlib: inflateInit2 failed");
    }
  }
  ~Stream() { inflateEnd(&zlib); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream zlib = {};
};

GzipReader::GzipReader(std::span<const std::uint8_t> compressed, std::string path)
    : compressed_(compressed), path_(std::move(path)), stream_(std::make_unique<Stream>()) {}

GzipReader::~GzipReader() = default;

void GzipReader::read(std::size_t count, std::vector<std::uint8_t>& bytes) {
  z_stream& stream = stream_->zlib;
  const std::size_t wanted = bytes.size() + count;
  std::size_t written = bytes.size();
  while (written < wanted && !(member_ended_ && taken_ == compressed_.size())) {
    if (member_ended_ && inflateReset(&stream) != Z_OK) {
      throw Failure("zlib: inflateReset failed");
    }
    bytes.resize(std::min(wanted, written + kPiece));
    const std::size_t piece_in = std::min(kPiece, compressed_.size() - taken_);
    const std::size_t piece_out = bytes.size() - written;
    stream.next_in = const_cast<Bytef*>(compressed_.data() + taken_);  // zlib does not write through it
    stream.avail_in = static_cast<uInt>(piece_in);
    stream.next_out = bytes.data() + written;
    stream.avail_out = static_cast<uInt>(piece_out);
    const int status = inflate(&stream, Z_NO_FLUSH);
    taken_ += piece_in - stream.avail_in;
    written += piece_out - stream.avail_out;
    member_ended_ = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR) {
      throw BadInput(concat(path_, ": byte ", taken_,
                            " (compressed): expected more gzip data, found the end of the file"));
    }
    if (status != Z_OK && status != Z_STREAM_END) {
      throw BadInput(concat(path_, ": byte ", taken_, " (compressed): expected valid gzip data, found ",
                            stream.msg == nullptr ? "an error" : stream.msg));
    }
  }
  bytes.resize(written);
}

}  // namespace adapt
