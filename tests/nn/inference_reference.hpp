#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "nn/passes/inference_plan.hpp"

namespace adapt::test {

/// The meaning of an InferencePlan: plain loops, 64-bit integer sums, one number after the other.
class InferenceReference {
 public:
  /// Fractions this near to one half may be rounded to either side by float32 arithmetic.
  static constexpr double kNearTie = 1e-3;

  InferenceReference(const Graph& graph, const InferencePlan& plan)
      : graph_(graph), plan_(plan), numbers_(plan.values.size()) {
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      numbers_[i].resize(static_cast<std::size_t>(plan.values[i].shape.elements()));
    }
    near_tie_.resize(static_cast<std::size_t>(plan.values[0].shape.n));
  }

  /// The logits.
  const std::vector<double>& run(std::span<const float> images) {
    std::copy(images.begin(), images.end(), numbers_[0].begin());
    std::fill(near_tie_.begin(), near_tie_.end(), false);
    for (const InferenceStep& step : plan_.steps) {
      run_step(step);
    }
    return at(plan_.steps.back().destination);
  }

  /// Whether some number of the image was rounded that might as well have been rounded to the other side.
  [[nodiscard]] bool near_tie(int image) const { return near_tie_[static_cast<std::size_t>(image)]; }

 private:
  std::vector<double>& at(int value) { return numbers_[static_cast<std::size_t>(value)]; }
  [[nodiscard]] const InferenceValue& value(int index) const {
    return plan_.values[static_cast<std::size_t>(index)];
  }

  void run_step(const InferenceStep& step) {
    switch (step.kind) {
      case InferenceStep::Kind::product:
        return multiply(step);
      case InferenceStep::Kind::pool:
        return pool(step);
      case InferenceStep::Kind::convert:
        return convert(step);
      default:
        return layer(step);
    }
  }

  /// A number as the destination stores it.
  double stored(double number, const InferenceValue& destination, int image) {
    if (!is_byte(destination.type)) {
      return number;
    }
    const bool is_signed = destination.type == NumberType::signed_byte;
    const double fraction = number - std::floor(number);
    const bool inside = number > (is_signed ? -129 : -1) && number < (is_signed ? 128 : 256);
    if (inside && std::abs(fraction - 0.5) < kNearTie) {
      near_tie_[static_cast<std::size_t>(image)] = true;
    }
    return std::clamp(std::nearbyint(number), is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0);
  }

  static std::size_t index(const Shape& s, int n, int c, int y, int x) {
    return static_cast<std::size_t>(((std::int64_t{n} * s.h + y) * s.w + x) * s.c + c);
  }

  /// Σ of one output, exact where the product is an integer one.
  double sum(const FoldedProduct& product, const std::vector<double>& source, int n, int oc, int oy,
             int ox) const {
    const auto& [in, out, kernel, stride, padding, groups] = product.geometry;
    std::int64_t integer = 0;
    double real = 0;
    const int inputs = product.geometry.group_inputs();
    const int first = oc / product.geometry.group_outputs() * inputs;
    for (int i = 0; i < inputs; ++i) {
      for (int ky = 0; ky < kernel; ++ky) {
        for (int kx = 0; kx < kernel; ++kx) {
          const int y = oy * stride - padding + ky;
          const int x = ox * stride - padding + kx;
          if (y < 0 || y >= in.h || x < 0 || x >= in.w) {
            continue;
          }
          const double a = source[index(in, n, first + i, y, x)];
          const double b =
              product.weights[static_cast<std::size_t>(((oc * inputs + i) * kernel + ky) * kernel + kx)];
          integer += static_cast<std::int64_t>(a) * static_cast<std::int64_t>(b);
          real += a * b;
        }
      }
    }
    return product.integer ? static_cast<double>(integer) : real;
  }

  static double activate(const FoldedProduct& product, double number) {
    if (product.activation) {
      number = *product.activation == Activation::relu ? std::max(number, 0.0) : std::tanh(number);
    }
    return product.output_factor * number;
  }

  void multiply(const InferenceStep& step) {
    const FoldedProduct& product = step.product;
    const Shape& out = product.geometry.output;
    const std::vector<double> source = at(step.sources[0]);
    const std::vector<double> residual = step.residual < 0 ? std::vector<double>() : at(step.residual);
    for (int n = 0; n < out.n; ++n) {
      for (int y = 0; y < out.h; ++y) {
        for (int x = 0; x < out.w; ++x) {
          for (int c = 0; c < out.c; ++c) {
            const std::size_t i = index(out, n, c, y, x);
            const auto channel = static_cast<std::size_t>(c);
            const double factor = product.factors.empty() ? 1 : product.factors[channel];
            double number = factor * (sum(product, source, n, c, y, x) + product.addends[channel]);
            if (product.operand_step) {
              number = *product.operand_step * stored(number / *product.operand_step,
                                                      {.shape = {}, .type = NumberType::signed_byte}, n);
            }
            number += residual.empty() ? 0 : product.residual_factor * residual[i];
            at(step.destination)[i] = stored(activate(product, number), value(step.destination), n);
          }
        }
      }
    }
  }

  void pool(const InferenceStep& step) {
    const PoolingTerms terms = *graph_.nodes[step.node].pooling();
    const InferenceValue& from = value(step.sources[0]);
    const InferenceValue& to = value(step.destination);
    const Shape& out = to.shape;
    for (int n = 0; n < out.n; ++n) {
      for (int y = 0; y < out.h; ++y) {
        for (int x = 0; x < out.w; ++x) {
          for (int c = 0; c < out.c; ++c) {
            at(step.destination)[index(out, n, c, y, x)] =
                stored(pooled(terms, from, to, at(step.sources[0]), n, c, y, x), to, n);
          }
        }
      }
    }
  }

  static double pooled(const PoolingTerms& terms, const InferenceValue& from, const InferenceValue& to,
                       const std::vector<double>& source, int n, int c, int y, int x) {
    double total = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (int ky = 0; ky < terms.window.kernel; ++ky) {
      for (int kx = 0; kx < terms.window.kernel; ++kx) {
        const double number =
            source[index(from.shape, n, c, y * terms.window.stride + ky, x * terms.window.stride + kx)];
        total += number;
        largest = std::max(largest, number);
      }
    }
    if (terms.kind == Pooling::maximum) {
      return largest;
    }
    const int lengths =
        (is_byte(to.type) ? to.fractional_length : 0) - (is_byte(from.type) ? from.fractional_length : 0);
    return std::ldexp(total, lengths) / (terms.window.kernel * terms.window.kernel);
  }

  void convert(const InferenceStep& step) {
    const InferenceValue& from = value(step.sources[0]);
    const InferenceValue& to = value(step.destination);
    const std::int64_t per_image = to.shape.elements() / to.shape.n;
    for (std::size_t i = 0; i < at(step.destination).size(); ++i) {
      const double number = at(step.sources[0])[i];
      const int image = static_cast<int>(static_cast<std::int64_t>(i) / per_image);
      at(step.destination)[i] = is_byte(to.type) && !is_byte(from.type)
                                    ? stored(std::ldexp(number, to.fractional_length), to, image)
                                    : number;
    }
  }

  void layer(const InferenceStep& step) {
    const Operation& operation = graph_.nodes[step.node].op();
    for (std::size_t i = 0; i < at(step.destination).size(); ++i) {
      const double first = at(step.sources[0])[i];
      double& result = at(step.destination)[i];
      if (operation.is_sum()) {
        result = first + at(step.sources[1])[i];
      } else {
        const bool relu = operation.activation() == Activation::relu;
        result = relu ? std::max(first, 0.0) : std::tanh(first);
      }
    }
  }

  const Graph& graph_;
  const InferencePlan& plan_;
  std::vector<std::vector<double>> numbers_;  // by value; of bytes the integers
  std::vector<bool> near_tie_;                // by image
};

}  // namespace adapt::test
