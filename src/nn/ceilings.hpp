#pragma once

#include <cstdint>
#include <memory>

#include "nn/passes/inference_plan.hpp"

namespace adapt {

/// A matrix product of `size` × `size` by `size` × `size`, large and regular: how fast the machine multiplies
/// numbers of a type at best. Bytes are unsigned by signed, sums are stored as float32.
class PeakProduct {
 public:
  PeakProduct(NumberType type, int size);
  ~PeakProduct();
  PeakProduct(PeakProduct&&) noexcept;
  PeakProduct(const PeakProduct&) = delete;
  PeakProduct& operator=(const PeakProduct&) = delete;

  void run();
  /// Of one run, two for each multiply-add.
  [[nodiscard]] double operations() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
