#include "nn/kernels/im2col_product.hpp"

#include <algorithm>

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
Im2colProduct<Operands>::Im2colProduct(const WindowProduct& product, bool is_unsigned)
    : product_(product),
      is_unsigned_(is_unsigned),
      zero_(is_unsigned ? 0 : Operands::kZero),
      spread_(product.transposed ? product.stride : 1),
      step_(product.transposed ? 1 : product.stride),
      canvas_height_(canvas_size(product.destination.h, product)),
      canvas_width_(canvas_size(product.destination.w, product)),
      canvas_size_(static_cast<std::size_t>(canvas_height_ * canvas_width_ * product.group_inputs())),
      groups_(static_cast<std::size_t>(product.groups)),
      windows_(piece_windows(static_cast<std::size_t>(product.destination.c))),
      depth_(units(product.terms(), Operands::products().depth_step) * Operands::products().depth_step),
      outputs_(static_cast<std::size_t>(product.group_outputs())),
      panels_(units(outputs_, kProductTile)),
      weights_(groups_ * panels_ * kProductTile * depth_),
      group_rows_(windows_ * depth_ + kSlack),
      initial_(groups_ * panels_ * kProductTile),
      canvases_(groups_ * canvas_size_ + kSlack, zero_),
      blocks_(windows_ / kProductTile) {
  const std::size_t channels = static_cast<std::size_t>(product.group_inputs());
  const std::size_t run = static_cast<std::size_t>(product.kernel) * channels;
  const std::size_t pixels = pixels_of(product.destination);
  // The windows of a block lie in one row of the canvas, and no piece in two images.
  is_direct_ = product.destination.w % static_cast<int>(kProductTile) == 0 &&
               pixels % piece_unit(static_cast<std::size_t>(product.destination.c)) == 0 &&
               run % Operands::products().depth_step == 0;
  if (is_direct_) {
    row_places_ = {.row = static_cast<std::size_t>(step_) * channels,
                   .runs = static_cast<std::size_t>(product.kernel),
                   .pitch = static_cast<std::size_t>(canvas_width_) * channels};
  } else {
    row_places_ = {.row = depth_};
    rows_.resize(groups_ * group_rows_);
  }
}

template <class Operands>
int Im2colProduct<Operands>::origin() const {
  return product_.transposed ? product_.kernel - 1 - product_.padding : product_.padding;
}

template <class Operands>
void Im2colProduct<Operands>::set_weights(std::span<const std::int8_t> weights) {
  const auto inputs = static_cast<std::size_t>(product_.group_inputs());
  const auto area = static_cast<std::size_t>(product_.kernel) * static_cast<std::size_t>(product_.kernel);
  const auto outputs = static_cast<std::size_t>(product_.destination.c);
  const std::int8_t* from = weights.data();
  constexpr std::size_t kGroup = Operands::kGroup;
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t column = o / outputs_ * panels_ * kProductTile + o % outputs_;
    auto* const panel = weights_.data() + column / kProductTile * kProductTile * depth_;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t tap = 0; tap < area; ++tap, ++from) {
        // The last weight of a transposed window meets its first pixel.
        const std::size_t term = (product_.transposed ? area - 1 - tap : tap) * inputs + i;
        const std::size_t place =
            (term / kGroup * kProductTile + column % kProductTile) * kGroup + term % kGroup;
        panel[place] = typename Operands::Right{*from};
        sum += *from;
      }
    }
    initial_[column] = -(zero_ * sum);
  }
}

template <class Operands>
template <class Source>
void Im2colProduct<Operands>::draw(const Source* image) {
  for (std::size_t group = 0; group < groups_; ++group) {
    draw_group(image + group * static_cast<std::size_t>(product_.group_inputs()),
               canvases_.data() + group * canvas_size_);
  }
}

template <class Operands>
template <class Source>
void Im2colProduct<Operands>::draw_group(const Source* image, Left* canvas) const {
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
    const Source* from = image + static_cast<std::size_t>(y * in.w + before) * image_channels;
    Left* to =
        canvas + static_cast<std::size_t>(canvas_y * canvas_width_ + origin() + before * spread_) * channels;
    for (std::size_t piece = 0; piece < pieces; ++piece, from += image_channels, to += distance) {
      for (std::size_t i = 0; i < length; ++i) {
        to[i] = Operands::left_of(from[i], zero_);
      }
    }
  }
}

template <class Operands>
void Im2colProduct<Operands>::lay_out(std::size_t first, std::size_t count, std::size_t row) {
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
                                     bytes(rows_of(group) + (row + done) * depth_), depth_ * sizeof(Left));
    }
    done += some;
  }
}

template <class Operands>
void Im2colProduct<Operands>::multiply(std::int32_t* sums, std::size_t count) {
  for (std::size_t group = 0; group < groups_; ++group) {
    multiply_group(group, sums + group * outputs_, count);
  }
}

template <class Operands>
void Im2colProduct<Operands>::multiply_group(std::size_t group, std::int32_t* sums, std::size_t count) {
  const auto channels = static_cast<std::size_t>(product_.destination.c);
  const bool is_whole = outputs_ % kProductTile == 0;
  const std::size_t direct = is_whole ? count / kProductTile * kProductTile : 0;
  multiply_blocks(group, 0, direct, sums,
                  {.row = channels, .block = kProductTile * channels, .panel = kProductTile});
  if (direct == count) {
    return;
  }
  // What is no whole tile is copied from one.
  const std::size_t columns = panels_ * kProductTile;
  tiles_.resize(windows_ * columns);
  multiply_blocks(group, direct, count - direct, tiles_.data(),
                  {.row = columns, .block = kProductTile * columns, .panel = kProductTile});
  for (std::size_t window = direct; window < count; ++window) {
    std::copy_n(tiles_.data() + (window - direct) * columns, outputs_, sums + window * channels);
  }
}

template <class Operands>
void Im2colProduct<Operands>::multiply_blocks(std::size_t group, std::size_t first, std::size_t count,
                                              std::int32_t* sums, const vector::SumPlaces& places) {
  const std::size_t blocks = units(count, kProductTile);
  for (std::size_t block = 0; block < blocks; ++block) {
    blocks_[block] = block_at(group, first + block * kProductTile);
  }
  const std::size_t columns = panels_ * kProductTile;
  Operands::products().multiply(blocks_.data(), blocks, row_places_,
                                weights_.data() + group * columns * depth_, panels_, depth_,
                                initial_.data() + group * columns, sums, places);
}

template <class Operands>
const typename Operands::Left* Im2colProduct<Operands>::block_at(std::size_t group, std::size_t row) {
  return is_direct_ ? canvases_.data() + group * canvas_size_ + corner_of(first_window_ + row)
                    : rows_of(group) + row * depth_;
}

template <class Operands>
std::size_t Im2colProduct<Operands>::corner_of(std::size_t window) const {
  const auto width = static_cast<std::size_t>(product_.destination.w);
  const auto step = static_cast<std::size_t>(step_);
  const std::size_t pixel =
      window / width * step * static_cast<std::size_t>(canvas_width_) + window % width * step;
  return pixel * static_cast<std::size_t>(product_.group_inputs());
}

template <class Operands>
void Im2colProduct<Operands>::run(const void* source, SumSink& sums) {
  if (is_unsigned_) {
    run_on(static_cast<const std::uint8_t*>(source), sums);
  } else {
    run_on(static_cast<const std::int8_t*>(source), sums);
  }
}

template <class Operands>
template <class Source>
void Im2colProduct<Operands>::run_on(const Source* image, SumSink& sums) {
  const Shape& in = product_.source;
  const Shape& out = product_.destination;
  const auto channels = static_cast<std::size_t>(out.c);
  const std::size_t pixels = pixels_of(out);
  const auto image_size = static_cast<std::size_t>(in.elements() / in.n);
  std::size_t done = 0;  // sums
  std::size_t rows = 0;  // laid out, and not multiplied yet
  const auto flush = [&] {
    const std::size_t some = rows * channels;
    multiply(sums.room(done, some), rows);
    sums.take(done, some);
    done += some;
    rows = 0;
  };
  for (int n = 0; n < in.n; ++n, image += image_size) {
    draw(image);
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

template class Im2colProduct<ByteOperands>;
template class Im2colProduct<WordOperands>;

}  // namespace adapt
