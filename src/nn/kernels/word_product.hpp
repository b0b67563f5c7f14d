#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "nn/kernels/grid_product.hpp"
#include "nn/kernels/window_rows.hpp"

namespace adapt {

/// By matrix products of 16-bit words with 32-bit sums (nn/kernels/window_rows.hpp). Where a sum might leave
/// 32 bits, which depends on the integers that are there, the terms are cut into pieces whose sums cannot,
/// and these are added up in doubles; where such pieces would be too short, the weights are cut into two
/// parts of 8 bits each before.
class WordProduct : public GridProduct {
 public:
  explicit WordProduct(const WindowProduct& product);

  void set_weights(std::span<const std::int16_t> weights, float step) override;
  void run(const GridTensor& source, ProductSink<float>& numbers) override;

  /// Pieces of the last run.
  [[nodiscard]] std::size_t pieces() const { return pieces_.size(); }

 private:
  /// Terms that are multiplied at a time.
  struct Piece {
    vector::WordPart part;
    std::size_t term;     ///< the first one
    std::size_t place;    ///< of it in a row
    std::size_t runs;     ///< of the row, over which they spread
    std::size_t depth;    ///< their number
    std::size_t weights;  ///< where their panels begin
  };

  /// Chooses pieces whose sums stay below 2^31 with sources of up to `largest`, and lays out their weights.
  void lay_out(std::int32_t largest);
  /// Pieces in each of which no column has weights of more than `most` in all; nothing where the terms that
  /// are kept together have more.
  [[nodiscard]] std::optional<std::vector<Piece>> cut(const vector::WordPart& part, std::int64_t most) const;
  /// By terms that are kept together, and column: the sum of magnitudes.
  [[nodiscard]] std::vector<std::int32_t> magnitudes(const vector::WordPart& part) const;
  void lay_out_piece(Piece& piece);
  /// sums_ of `count` rows.
  void multiply(const Piece& piece, std::size_t count);
  /// Numbers from the sums of `count` rows.
  void multiply_all(std::size_t count, float step, float* numbers);
  [[nodiscard]] std::size_t run_depth() const { return rows_.depth() / rows_.places().runs; }

  WindowRows<WordOperands> rows_;
  WindowProduct product_;
  std::size_t groups_;
  std::size_t outputs_;                  ///< channels of a group
  std::size_t panels_;                   ///< of a group
  std::size_t columns_;                  ///< of all groups, in whole panels
  AlignedVector<std::int16_t> ordered_;  ///< weights by column and term
  float weight_step_ = 1;
  std::int32_t largest_ = -1;  ///< for which the weights are laid out; -1: they are not
  std::vector<Piece> pieces_;
  AlignedVector<std::int16_t> weights_;  ///< by piece, group and panel
  std::vector<std::int32_t> zeros_;
  std::vector<const std::int16_t*> blocks_;
  AlignedVector<std::int32_t> sums_;  ///< by row and column, as the next ones
  AlignedVector<double> wide_;
  AlignedVector<float> numbers_;
};

}  // namespace adapt
