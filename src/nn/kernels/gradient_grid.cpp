#include "nn/kernels/gradient_grid.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "nn/kernels/copy_runs.hpp"
#include "nn/kernels/operands.hpp"

namespace adapt {
namespace {

using vector::kProductDepth;
using vector::kProductTile;

/// What a transposition may read and write behind the end, in pixels.
constexpr std::size_t kSlack = 64;

std::size_t rounded_up(std::size_t value, std::size_t unit) { return (value + unit - 1) / unit * unit; }

template <class Vector>
void make_room(Vector& vector, std::size_t size) {
  if (vector.size() < size) {
    vector.resize(size);
  }
}

/// Pixels of the coarser grid along an axis: those of the output, and those of X that a weight reads.
int grid_size(int input, int output, const ProductGeometry& geometry, int lowest_phase, int last_shift) {
  const int pixels = (input - lowest_phase + geometry.stride - 1) / geometry.stride;
  return std::max(output, std::min(pixels, output + last_shift));
}

/// Of a source, as elements on the left: its zero becomes kZero.
template <class Operands, class Source>
Source with_zero(Source source) {
  if constexpr (std::is_same_v<Operands, ByteOperands>) {
    source.zero = Operands::kZero;
  }
  return source;
}

}  // namespace

template <class Operands>
GradientGrid<Operands>::GradientGrid(const ProductGeometry& geometry) : geometry_(geometry) {
  const Shape& in = geometry.input;
  const Shape& out = geometry.output;
  for (int tap = 0; tap < std::min(geometry.kernel, geometry.stride); ++tap) {
    phases_.push_back(phase_of(tap));
  }
  std::ranges::sort(phases_);
  const int last_shift = shift_of(geometry.kernel - 1);
  grid_height_ = grid_size(in.h, out.h, geometry, phases_.front(), last_shift);
  grid_width_ = grid_size(in.w, out.w, geometry, phases_.front(), last_shift);
  grid_ = static_cast<std::size_t>(grid_height_) * static_cast<std::size_t>(grid_width_);
  images_ = std::clamp(static_cast<int>(kSlice / grid_), 1, in.n);
  channels_ = rounded_up(phases_.size() * phases_.size() * static_cast<std::size_t>(in.c), kProductTile);
  columns_ = rounded_up(static_cast<std::size_t>(out.c), kProductTile);
  const auto reach = [&](int shift) {
    return static_cast<std::size_t>(std::max(shift, 0) * (grid_width_ + 1));
  };
  lead_ = rounded_up(reach(-shift_of(0)), kSlack);
  row_stride_ = odd_lines(lead_ + depth(images_) + reach(last_shift) + kSlack);
  make_rows();
  make_masks();
}

template <class Operands>
std::size_t GradientGrid<Operands>::odd_lines(std::size_t elements) {
  constexpr std::size_t kLine = 64 / sizeof(Left);
  return (rounded_up(elements, kLine) / kLine | 1U) * kLine;
}

template <class Operands>
std::size_t GradientGrid<Operands>::depth(int images) const {
  return rounded_up(static_cast<std::size_t>(images) * grid_, kProductDepth);
}

template <class Operands>
int GradientGrid<Operands>::shift_of(int tap) const {
  const int distance = tap - geometry_.padding;
  return (distance - phase_of(tap)) / geometry_.stride;
}

template <class Operands>
int GradientGrid<Operands>::phase_of(int tap) const {
  const int rest = (tap - geometry_.padding) % geometry_.stride;
  return rest < 0 ? rest + geometry_.stride : rest;
}

template <class Operands>
void GradientGrid<Operands>::make_rows() {
  const auto phase_index = [&](int tap) {
    return static_cast<std::size_t>(std::ranges::find(phases_, phase_of(tap)) - phases_.begin());
  };
  const auto channels = static_cast<std::size_t>(geometry_.input.c);
  const std::size_t mask = depth(images_);
  const int kernel = geometry_.kernel;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (int y = 0; y < kernel; ++y) {
      for (int x = 0; x < kernel; ++x) {
        const std::size_t phase = phase_index(y) * phases_.size() + phase_index(x);
        const std::ptrdiff_t offset = std::ptrdiff_t{shift_of(y)} * grid_width_ + shift_of(x);
        rows_.push_back(
            {(phase * channels + channel) * row_stride_ + lead_ + static_cast<std::size_t>(offset),
             static_cast<std::size_t>(y) * mask, static_cast<std::size_t>(kernel + x) * mask});
      }
    }
  }
}

template <class Operands>
void GradientGrid<Operands>::make_masks() {
  const std::size_t length = depth(images_);
  const int kernel = geometry_.kernel;
  masks_.assign(2 * static_cast<std::size_t>(kernel) * length, 0);
  const auto mark = [](int place, int size) {
    return static_cast<Left>(place >= 0 && place < size ? -1 : 0);
  };
  Left* mask = masks_.data();
  for (int tap = 0; tap < kernel; ++tap, mask += length) {
    for (std::size_t pixel = 0; pixel < static_cast<std::size_t>(images_) * grid_; ++pixel) {
      const int y = static_cast<int>(pixel % grid_) / grid_width_;
      mask[pixel] = mark(y + shift_of(tap), grid_height_);
    }
  }
  for (int tap = 0; tap < kernel; ++tap, mask += length) {
    for (std::size_t pixel = 0; pixel < static_cast<std::size_t>(images_) * grid_; ++pixel) {
      const int x = static_cast<int>(pixel % grid_) % grid_width_;
      mask[pixel] = mark(x + shift_of(tap), grid_width_);
    }
  }
}

template <class Operands>
void GradientGrid<Operands>::stage_row(const Integer* row, Integer* pixels) const {
  const auto channels = static_cast<std::size_t>(geometry_.input.c);
  const auto width = static_cast<std::size_t>(geometry_.input.w);
  const auto stride = static_cast<std::size_t>(geometry_.stride);
  const auto grid_width = static_cast<std::size_t>(grid_width_);
  // All phases stand side by side on both, and are one run; the last one may have some of them only.
  const std::size_t run = phases_.size() == stride ? stride : 1;
  for (std::size_t phase = 0; phase < phases_.size(); phase += run, pixels += run * channels) {
    const auto first = static_cast<std::size_t>(phases_[phase]);
    if (first >= width) {
      return;
    }
    const std::size_t runs = std::min(grid_width, (width - first + stride - run) / stride);
    copy_runs(row + first * channels, stride * channels, run * channels, runs, pixels, channels_);
    const std::size_t next = first + runs * stride;
    if (next < width && runs < grid_width) {
      std::copy_n(row + next * channels, (width - next) * channels, pixels + runs * channels_);
    }
  }
}

template <class Operands>
template <class Source>
void GradientGrid<Operands>::stage_input(const Source& source, std::size_t image, Integer* to,
                                         AlignedVector<Integer>& line) const {
  const Shape& in = geometry_.input;
  const auto channels = static_cast<std::size_t>(in.c);
  std::fill_n(to, grid_ * channels_, Integer{0});
  for (int grid_y = 0; grid_y < grid_height_; ++grid_y) {
    for (std::size_t phase_y = 0; phase_y < phases_.size(); ++phase_y) {
      const int y = grid_y * geometry_.stride + phases_[phase_y];
      if (y >= in.h) {
        break;
      }
      const auto width = static_cast<std::size_t>(in.w);
      const Integer* const row =
          source.line(image + static_cast<std::size_t>(y) * width * channels, width * channels, line);
      stage_row(row, to + static_cast<std::size_t>(grid_y * grid_width_) * channels_ +
                         phase_y * phases_.size() * channels);
    }
  }
}

template <class Operands>
template <class Source>
void GradientGrid<Operands>::stage_output(const Source& source, std::size_t image, Integer* to,
                                          AlignedVector<Integer>& line) const {
  const Shape& out = geometry_.output;
  const auto channels = static_cast<std::size_t>(out.c);
  std::fill_n(to, grid_ * columns_, Integer{0});
  for (int y = 0; y < out.h; ++y) {
    const auto width = static_cast<std::size_t>(out.w);
    const Integer* const row =
        source.line(image + static_cast<std::size_t>(y) * width * channels, width * channels, line);
    copy_runs(row, channels, channels, width, to + static_cast<std::size_t>(y * grid_width_) * columns_,
              columns_);
  }
}

template <class Operands>
template <class Source>
void GradientGrid<Operands>::lay_out_input(const Source& x, int first, int count, Room& room) const {
  const Shape& in = geometry_.input;
  const std::size_t pixels = static_cast<std::size_t>(count) * grid_;
  const auto image = static_cast<std::size_t>(in.elements() / in.n);
  const std::size_t begin = static_cast<std::size_t>(first) * image;
  const bool is_image = geometry_.stride == 1 && grid_height_ == in.h && grid_width_ == in.w;
  const bool is_grid = is_image && channels_ == static_cast<std::size_t>(in.c);
  const bool is_row = is_image && in.c == 1;  // transposed as it is
  make_room(room.x, channels_ * row_stride_);
  Left* const to = room.x.data() + lead_;
  if (is_row) {
    with_zero<Operands>(x).copy(begin, pixels, to);
    return;
  }
  // A transposition reads whole steps.
  if (is_grid && pixels % kSlack == 0) {
    Operands::transpose(x.line(begin, pixels * channels_, room.staged), pixels, channels_, to, row_stride_);
    return;
  }
  make_room(room.staged, (pixels + kSlack) * channels_);
  if (is_grid) {
    x.copy(begin, pixels * channels_, room.staged.data());
  } else {
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      stage_input(x, begin + i * image, room.staged.data() + i * grid_ * channels_, room.line);
    }
  }
  Operands::transpose(room.staged.data(), pixels, channels_, to, row_stride_);
}

template <class Operands>
template <class Source>
void GradientGrid<Operands>::lay_out_output(const Source& dy, int first, int count, std::size_t slice,
                                            Room& room) const {
  const Shape& out = geometry_.output;
  const std::size_t pixels = static_cast<std::size_t>(count) * grid_;
  const std::size_t whole = depth(count);
  const auto image = static_cast<std::size_t>(out.elements() / out.n);
  const std::size_t begin = static_cast<std::size_t>(first) * image;
  const bool is_grid =
      columns_ == static_cast<std::size_t>(out.c) && grid_height_ == out.h && grid_width_ == out.w;
  make_room(room.dy, whole * columns_);
  if (is_grid && pixels == whole) {
    pack(dy.line(begin, whole * columns_, room.staged), whole, slice, room);
    return;
  }
  make_room(room.staged, whole * columns_);
  if (is_grid) {
    dy.copy(begin, pixels * columns_, room.staged.data());
  } else {
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      stage_output(dy, begin + i * image, room.staged.data() + i * grid_ * columns_, room.line);
    }
  }
  std::fill_n(room.staged.data() + pixels * columns_, (whole - pixels) * columns_, Integer{0});
  pack(room.staged.data(), whole, slice, room);
}

template <class Operands>
void GradientGrid<Operands>::pack(const Integer* dy, std::size_t depth, std::size_t slice, Room& room) const {
  for (std::size_t first = 0; first < depth; first += slice) {
    const std::size_t length = std::min(slice, depth - first);
    Operands::pack(dy + first * columns_, length, columns_, room.dy.data() + first * columns_,
                   length * kProductTile);
  }
}

template <class Operands>
template <class X, class Gradient>
void GradientGrid<Operands>::lay_out(const X& x, const Gradient& dy, int first, int count, std::size_t slice,
                                     Room& room) const {
  lay_out_input(x, first, count, room);
  lay_out_output(dy, first, count, slice, room);
}

template <class Operands>
void GradientGrid<Operands>::copy_rows(const Room& room, std::size_t row, std::size_t first,
                                       std::size_t length, Left* to, std::size_t stride) const {
  const auto bytes = [](const Left* place) { return reinterpret_cast<const std::uint8_t*>(place); };
  std::array<vector::MaskedRow, kProductTile> masked;
  for (std::size_t i = 0; i < kProductTile; ++i) {
    const Row& from = rows_[std::min(row + i, rows_.size() - 1)];
    masked[i] = {bytes(room.x.data() + from.begin + first), bytes(masks_.data() + from.mask_y + first),
                 bytes(masks_.data() + from.mask_x + first)};
  }
  vector::kernels().copy_masked(masked.data(), kProductTile, length * sizeof(Left),
                                static_cast<std::uint8_t>(Operands::kZero),
                                reinterpret_cast<std::uint8_t*>(to), stride * sizeof(Left));
}

using Bytes = ByteSource<std::int8_t>;
template class GradientGrid<ByteOperands>;
template class GradientGrid<WordOperands>;
template void GradientGrid<ByteOperands>::lay_out(const Bytes&, const Bytes&, int, int, std::size_t,
                                                  Room&) const;
template void GradientGrid<WordOperands>::lay_out(const Bytes&, const Bytes&, int, int, std::size_t,
                                                  Room&) const;
template void GradientGrid<WordOperands>::lay_out(const GridSource&, const GridSource&, int, int, std::size_t,
                                                  Room&) const;

}  // namespace adapt
