#include "data/png.hpp"

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/error.hpp"

namespace adapt {
namespace {

constexpr png_uint_32 kMostSide = 4096;

/// Where libpng reads, and what it complained of. Plain, as functions that setjmp returns to see it.
struct Input {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  std::size_t at = 0;
  std::array<char, 128> complaint = {};
};

void give_bytes(png_structp png, png_bytep bytes, std::size_t count) {
  auto* const input = static_cast<Input*>(png_get_io_ptr(png));
  if (input->size - input->at < count) {
    png_error(png, "the end of the file");
  }
  std::memcpy(bytes, input->bytes + input->at, count);
  input->at += count;
}

[[noreturn]] void complain(png_structp png, png_const_charp text) {
  auto* const input = static_cast<Input*>(png_get_error_ptr(png));
  std::snprintf(input->complaint.data(), input->complaint.size(), "%s", text);
  png_longjmp(png, 1);
}

void be_silent(png_structp /*png*/, png_const_charp /*text*/) {}

// libpng leaves these by longjmp: they hold nothing that a destructor is needed for. False: it complained.

bool start(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_user_limits(png, kMostSide, kMostSide);
  png_read_info(png, info);
  return true;
}

bool prepare(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_palette_to_rgb(png);
  if (png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY) {
    png_set_expand_gray_1_2_4_to_8(png);
  }
  static_cast<void>(png_set_interlace_handling(png));
  png_read_update_info(png, info);
  return true;
}

bool finish(png_structp png, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

/// One image while it is read.
class Reader {
 public:
  explicit Reader(const SourceFile& file)
      : file_(file),
        input_{file.bytes.data(), file.bytes.size()},
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &input_, complain, be_silent)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Failure("libpng: no memory for its state", Cause::memory);
    }
    png_set_read_fn(png_, &input_, give_bytes);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  ImageShape shape() {
    require(start(png_, info_));
    const int color = png_get_color_type(png_, info_);
    const bool is_transparent =
        (color & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
    if (png_get_bit_depth(png_, info_) > 8 || is_transparent) {
      file_.reject(input_.at, "an image of up to 8 bits a channel, not transparent",
                   concat(int{png_get_bit_depth(png_, info_)}, " bits a channel",
                          is_transparent ? ", transparent" : ""));
    }
    require(prepare(png_, info_));
    return {static_cast<int>(png_get_image_height(png_, info_)),
            static_cast<int>(png_get_image_width(png_, info_)), int{png_get_channels(png_, info_)}};
  }

  void pixels(std::span<std::uint8_t> pixels) {
    const ImageShape found = shape();
    if (static_cast<std::int64_t>(pixels.size()) != found.elements()) {
      throw Failure(concat("a PNG image of ", found.elements(), " bytes does not fit ", pixels.size()));
    }
    std::vector<png_bytep> rows;
    const auto row = static_cast<std::size_t>(found.width) * static_cast<std::size_t>(found.channels);
    for (std::size_t at = 0; at < pixels.size(); at += row) {
      rows.push_back(&pixels[at]);
    }
    require(finish(png_, rows.data()));
    if (input_.at != input_.size) {
      file_.reject(input_.at, "the end of the file behind the image",
                   concat(input_.size - input_.at, " surplus bytes"));
    }
  }

 private:
  void require(bool done) const {
    if (!done) {
      file_.reject(input_.at, "a PNG image that can be read", input_.complaint.data());
    }
  }

  const SourceFile& file_;
  Input input_;
  png_structp png_;
  png_infop info_;
};

}  // namespace

ImageShape png_shape(const SourceFile& file) { return Reader(file).shape(); }

void read_png(const SourceFile& file, std::span<std::uint8_t> pixels) { Reader(file).pixels(pixels); }

}  // namespace adapt
