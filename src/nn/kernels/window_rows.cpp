#include "nn/kernels/window_rows.hpp"

#include <algorithm>

#include "nn/kernels/product_sink.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

/// What a copy of a window may read and write behind its end.
constexpr std::size_t kSlack = 64;

/// Rounded up; of a negative number towards zero.
template <class Integer>
Integer units(Integer value, Integer unit) {
  return (value + unit - 1) / unit;
}

std::size_t pixels_of(const Shape& image) {
  return static_cast<std::size_t>(image.h) * static_cast<std::size_t>(image.w);
}

int canvas_size(int destination, const WindowProduct& product) {
  return (destination - 1) * (product.transposed ? 1 : product.stride) + product.kernel;
}

}  // namespace

template <class Operands>
WindowRows<Operands>::WindowRows(const WindowProduct& product, Left zero)
    : product_(product),
      zero_(zero),
      spread_(product.transposed ? product.stride : 1),
      step_(product.transposed ? 1 : product.stride),
      canvas_height_(canvas_size(product.destination.h, product)),
      canvas_width_(canvas_size(product.destination.w, product)),
      canvas_size_(static_cast<std::size_t>(canvas_height_ * canvas_width_ * product.group_inputs())),
      groups_(static_cast<std::size_t>(product.groups)),
      windows_(piece_windows(static_cast<std::size_t>(product.destination.c))),
      depth_(units(product.terms(), Operands::products().depth_step) * Operands::products().depth_step),
      group_rows_(windows_ * depth_ + kSlack),
      canvases_(groups_ * canvas_size_ + kSlack, zero_) {
  const std::size_t channels = static_cast<std::size_t>(product.group_inputs());
  const std::size_t run = static_cast<std::size_t>(product.kernel) * channels;
  const std::size_t pixels = pixels_of(product.destination);
  // The windows of a block lie in one row of the canvas, and no piece in two images.
  is_direct_ = product.destination.w % static_cast<int>(kProductTile) == 0 &&
               pixels % piece_unit(static_cast<std::size_t>(product.destination.c)) == 0 &&
               run % Operands::products().depth_step == 0;
  if (is_direct_) {
    places_ = {.row = static_cast<std::size_t>(step_) * channels,
               .runs = static_cast<std::size_t>(product.kernel),
               .pitch = static_cast<std::size_t>(canvas_width_) * channels};
  } else {
    places_ = {.row = depth_};
    rows_.resize(groups_ * group_rows_);
  }
}

template <class Operands>
int WindowRows<Operands>::origin() const {
  return product_.transposed ? product_.kernel - 1 - product_.padding : product_.padding;
}

template <class Operands>
std::size_t WindowRows<Operands>::term(std::size_t input, std::size_t tap) const {
  const auto area = static_cast<std::size_t>(product_.kernel) * static_cast<std::size_t>(product_.kernel);
  // The last weight of a transposed window meets its first pixel.
  return (product_.transposed ? area - 1 - tap : tap) * static_cast<std::size_t>(product_.group_inputs()) +
         input;
}

template <class Operands>
template <class Source>
void WindowRows<Operands>::draw(const Source& source, std::size_t first) {
  for (std::size_t group = 0; group < groups_; ++group) {
    draw_group(source, first + group * static_cast<std::size_t>(product_.group_inputs()),
               canvases_.data() + group * canvas_size_);
  }
}

template <class Operands>
template <class Source>
void WindowRows<Operands>::draw_group(const Source& source, std::size_t first, Left* canvas) const {
  const Shape& in = product_.source;
  const auto channels = static_cast<std::size_t>(product_.group_inputs());
  const auto image_channels = static_cast<std::size_t>(in.c);
  // Pixels of a row that are on the canvas.
  const int before = std::max(0, units(-origin(), spread_));
  const int behind = std::max(before, std::min(units(canvas_width_ - origin(), spread_), in.w));
  // Where they stand side by side on both, they are one piece.
  const bool is_whole = spread_ == 1 && channels == image_channels;
  const std::size_t pieces = is_whole ? 1 : static_cast<std::size_t>(behind - before);
  const std::size_t length = is_whole ? static_cast<std::size_t>(behind - before) * channels : channels;
  const std::size_t distance = static_cast<std::size_t>(spread_) * channels;
  for (int y = 0; y < in.h; ++y) {
    const int canvas_y = origin() + y * spread_;
    if (canvas_y < 0 || canvas_y >= canvas_height_) {
      continue;
    }
    std::size_t from = first + static_cast<std::size_t>(y * in.w + before) * image_channels;
    Left* to =
        canvas + static_cast<std::size_t>(canvas_y * canvas_width_ + origin() + before * spread_) * channels;
    for (std::size_t piece = 0; piece < pieces; ++piece, from += image_channels, to += distance) {
      source.copy(from, length, to);
    }
  }
}

template <class Operands>
void WindowRows<Operands>::lay_out(std::size_t first, std::size_t count, std::size_t row) {
  const auto channels = static_cast<std::size_t>(product_.group_inputs());
  const auto kernel = static_cast<std::size_t>(product_.kernel);
  const auto width = static_cast<std::size_t>(product_.destination.w);
  const std::size_t pitch = static_cast<std::size_t>(canvas_width_) * channels;
  const std::size_t step = static_cast<std::size_t>(step_) * channels;
  const auto bytes = [](auto* place) { return reinterpret_cast<std::uint8_t*>(place); };
  const vector::WindowRuns runs = {.step = step * sizeof(Left),
                                   .count = kernel,
                                   .length = kernel * channels * sizeof(Left),
                                   .pitch = pitch * sizeof(Left)};
  for (std::size_t done = 0; done < count;) {
    const std::size_t some = std::min(count - done, width - (first + done) % width);
    const std::size_t corner = corner_of(first + done);
    for (std::size_t group = 0; group < groups_; ++group) {
      vector::kernels().copy_windows(bytes(canvases_.data() + group * canvas_size_ + corner), runs, some,
                                     bytes(rows_.data() + group * group_rows_ + (row + done) * depth_),
                                     depth_ * sizeof(Left));
    }
    done += some;
  }
}

template <class Operands>
const typename Operands::Left* WindowRows<Operands>::block(std::size_t group, std::size_t row) const {
  return is_direct_ ? canvases_.data() + group * canvas_size_ + corner_of(first_window_ + row)
                    : rows_.data() + group * group_rows_ + row * depth_;
}

template <class Operands>
std::size_t WindowRows<Operands>::corner_of(std::size_t window) const {
  const auto width = static_cast<std::size_t>(product_.destination.w);
  const auto step = static_cast<std::size_t>(step_);
  const std::size_t pixel =
      window / width * step * static_cast<std::size_t>(canvas_width_) + window % width * step;
  return pixel * static_cast<std::size_t>(product_.group_inputs());
}

template <class Operands>
template <class Source>
void WindowRows<Operands>::each_piece(const Source& source,
                                      const std::function<void(std::size_t, std::size_t)>& body) {
  const Shape& in = product_.source;
  const std::size_t pixels = pixels_of(product_.destination);
  const auto image_size = static_cast<std::size_t>(in.elements() / in.n);
  std::size_t done = 0;  // windows
  std::size_t rows = 0;  // that are there, and not done yet
  const auto flush = [&] {
    body(done, rows);
    done += rows;
    rows = 0;
  };
  for (std::size_t n = 0; n < static_cast<std::size_t>(in.n); ++n) {
    draw(source, n * image_size);
    for (std::size_t first = 0; first < pixels;) {
      const std::size_t some = std::min(windows_ - rows, pixels - first);
      if (is_direct_) {
        first_window_ = first;
      } else {
        lay_out(first, some, rows);
      }
      rows += some;
      first += some;
      if (rows == windows_ || is_direct_) {
        flush();
      }
    }
  }
  if (rows > 0) {
    flush();
  }
}

using Body = std::function<void(std::size_t, std::size_t)>;
template class WindowRows<ByteOperands>;
template class WindowRows<WordOperands>;
template class WindowRows<FloatOperands>;
template void WindowRows<ByteOperands>::each_piece(const ByteSource<std::int8_t>&, const Body&);
template void WindowRows<ByteOperands>::each_piece(const ByteSource<std::uint8_t>&, const Body&);
template void WindowRows<WordOperands>::each_piece(const ByteSource<std::int8_t>&, const Body&);
template void WindowRows<WordOperands>::each_piece(const ByteSource<std::uint8_t>&, const Body&);
template void WindowRows<WordOperands>::each_piece(const GridSource&, const Body&);
template void WindowRows<FloatOperands>::each_piece(const FloatSource&, const Body&);

}  // namespace adapt
