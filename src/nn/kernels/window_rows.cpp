#include "nn/kernels/window_rows.hpp"

#include <algorithm>

#include "nn/kernels/product_sink.hpp"

namespace adapt {
namespace {

using vector::kProductTile;

/// What a copy of a window may read and write behind its end.
constexpr std::size_t kSlack = 64;

template <class Integer>
Integer units(Integer value, Integer unit) {
  return (value + unit - 1) / unit;
}

}  // namespace

template <class Operands>
WindowRows<Operands>::WindowRows(const WindowProduct& product, Left zero, std::size_t neighbours)
    : product_(product),
      zero_(zero),
      canvas_(product, neighbours),
      groups_(static_cast<std::size_t>(product.groups)),
      row_windows_(static_cast<std::size_t>(product.destination.w) / neighbours),
      windows_(piece_windows(static_cast<std::size_t>(product.destination.c))),
      depth_(
          units(static_cast<std::size_t>(product.kernel) * canvas_.run(), Operands::products().depth_step) *
          Operands::products().depth_step),
      group_rows_(windows_ * depth_ + kSlack),
      canvases_(groups_ * canvas_.size() + kSlack, zero_) {
  // The windows of a block lie in one row of the canvas, and no piece in two images.
  is_direct_ = row_windows_ % kProductTile == 0 &&
               windows_of_image() % piece_unit(static_cast<std::size_t>(product.destination.c)) == 0 &&
               canvas_.run() % Operands::products().depth_step == 0;
  if (is_direct_) {
    places_ = {
        .row = canvas_.step(), .runs = static_cast<std::size_t>(product.kernel), .pitch = canvas_.pitch()};
  } else {
    places_ = {.row = depth_};
    rows_.resize(groups_ * group_rows_);
  }
}

template <class Operands>
template <class Source>
void WindowRows<Operands>::draw(const Source& source, std::size_t first) {
  for (std::size_t group = 0; group < groups_; ++group) {
    canvas_.draw(source, first + group * static_cast<std::size_t>(product_.group_inputs()),
                 canvases_.data() + group * canvas_.size());
  }
}

template <class Operands>
void WindowRows<Operands>::lay_out(std::size_t first, std::size_t count, std::size_t row) {
  const auto bytes = [](auto* place) { return reinterpret_cast<std::uint8_t*>(place); };
  const vector::WindowRuns runs = {.step = canvas_.step() * sizeof(Left),
                                   .count = static_cast<std::size_t>(product_.kernel),
                                   .length = canvas_.run() * sizeof(Left),
                                   .pitch = canvas_.pitch() * sizeof(Left)};
  for (std::size_t done = 0; done < count;) {
    const std::size_t some = std::min(count - done, row_windows_ - (first + done) % row_windows_);
    const std::size_t corner = canvas_.corner(first + done);
    for (std::size_t group = 0; group < groups_; ++group) {
      vector::kernels().copy_windows(bytes(canvases_.data() + group * canvas_.size() + corner), runs, some,
                                     bytes(rows_.data() + group * group_rows_ + (row + done) * depth_),
                                     depth_ * sizeof(Left));
    }
    done += some;
  }
}

template <class Operands>
const typename Operands::Left* WindowRows<Operands>::block(std::size_t group, std::size_t row) const {
  return is_direct_ ? canvases_.data() + group * canvas_.size() + canvas_.corner(first_window_ + row)
                    : rows_.data() + group * group_rows_ + row * depth_;
}

template <class Operands>
template <class Source>
void WindowRows<Operands>::each_piece(const Source& source,
                                      const std::function<void(std::size_t, std::size_t)>& body) {
  const Shape& in = product_.source;
  const std::size_t windows = windows_of_image();
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
    for (std::size_t first = 0; first < windows;) {
      const std::size_t some = std::min(windows_ - rows, windows - first);
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
template void WindowRows<ByteOperands>::each_piece(const ByteSource<std::int8_t>&, const Body&);
template void WindowRows<ByteOperands>::each_piece(const ByteSource<std::uint8_t>&, const Body&);
template void WindowRows<WordOperands>::each_piece(const ByteSource<std::int8_t>&, const Body&);
template void WindowRows<WordOperands>::each_piece(const ByteSource<std::uint8_t>&, const Body&);
template void WindowRows<WordOperands>::each_piece(const GridSource&, const Body&);

}  // namespace adapt
