#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/float_product.hpp"
#include "nn/kernels/window_product.hpp"
#include "numerics/vector/product.hpp"

namespace adapt {

/// By our own matrix products. Windows whose terms stand alike are rows of one left matrix, read where they
/// stand: those of a row of pixels, or on small maps those of one pixel in all images, which leave out what
/// lies beyond the border. Of a transposed product, windows of the same phase (place modulo the stride) stand
/// alike, so that no term is one of the zeros between pixels.
class WindowFloatProduct : public FloatProduct {
 public:
  explicit WindowFloatProduct(const WindowProduct& product);

  void set_weights(std::span<const float> weights) override;
  void run(const float* source, ProductSink<float>& numbers) override;

 private:
  enum class Rows { pixels, of_a_map_row, images };

  /// Windows that are rows of a left matrix, relative to an image.
  struct Windows {
    std::size_t phase;        ///< its terms
    std::size_t left;         ///< where the first one begins
    std::size_t destination;  ///< element of the first one's sums
    std::size_t count;        ///< where they are not images
  };

  /// Along an axis: pixels of the source that windows read, border included.
  struct Range {
    int first = 0;
    int last = 0;
    [[nodiscard]] int size() const { return last - first + 1; }
  };
  [[nodiscard]] Range range(int places, int source_size) const;

  [[nodiscard]] Rows choose_rows() const;
  /// Along an axis: terms of all windows, border included, for each one that is within the source.
  [[nodiscard]] double border(int places, int source_size) const;
  void find_pixels();
  void find_map_rows();
  void find_images();
  /// The terms of the window at (y, x) in the order of the source, whose pixel (0, 0) stands at element
  /// `origin` and whose rows are `pitch` apart; with `all` those beyond its border, too.
  [[nodiscard]] std::vector<vector::TermRun> terms_of(int y, int x, bool all, std::size_t pitch,
                                                      std::size_t origin) const;
  /// As WindowProduct::source_of, with `all` border included.
  [[nodiscard]] std::optional<int> source_of(int place, int tap, int size, bool all) const;
  /// Elements of a row of the canvas.
  [[nodiscard]] std::size_t pitch() const { return static_cast<std::size_t>(x_.size()) * inputs_; }

  void run_pixels(const float* source, ProductSink<float>& numbers);
  void run_map_rows(const float* source, ProductSink<float>& numbers);
  void run_images(const float* source, ProductSink<float>& numbers);
  /// So many images, or rows of an image's windows, that a piece may end behind them.
  [[nodiscard]] std::size_t images_of_piece() const;
  [[nodiscard]] std::size_t map_rows_of_piece() const;
  /// An image where its windows can read it.
  const float* drawn(const float* image);
  /// Sums of `count` rows of windows.
  void multiply_rows(const float* image, std::size_t first, std::size_t count, float* sums);
  /// Sums of windows of all groups, `count` rows.
  void multiply(const float* image, const Windows& windows, std::size_t count, float* sums);

  WindowProduct product_;
  std::size_t inputs_;   ///< channels of the source, in all
  std::size_t outputs_;  ///< of the destination
  std::size_t groups_;
  std::size_t group_inputs_;
  std::size_t group_outputs_;
  std::size_t panels_;  ///< of a group
  AlignedVector<float> weights_;
  Rows rows_;
  std::vector<std::vector<vector::TermRun>> phases_;
  std::vector<Windows> windows_;
  std::size_t row_step_ = 0;  ///< from a window to the next one in the source
  std::size_t sum_step_ = 0;  ///< and in the destination
  // Of Rows::of_a_map_row:
  std::size_t windows_of_row_ = 0;  ///< entries of windows_ for a row of the destination
  bool is_direct_ = false;          ///< no window reads beyond the border
  Range y_;
  Range x_;
  AlignedVector<float> canvas_;  ///< an image, or all, in another place
  AlignedVector<float> tile_;    ///< sums of which some are wanted
};

}  // namespace adapt
