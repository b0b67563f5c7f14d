#pragma once

#include <dnnl.hpp>

#include "nn/parameters.hpp"

namespace adapt {

/// A copy of a parameter's working values in the layout that a primitive likes, made anew only when the
/// parameter has changed.
class PackedWeights {
 public:
  /// `dims` are the dimensions that the primitive gives the parameter, `layout` what it wants.
  PackedWeights(const Parameter& parameter, const dnnl::memory::dims& dims, const dnnl::memory::desc& layout);

  /// The up-to-date copy (the parameter's own memory where the layouts are the same).
  const dnnl::memory& get();
  [[nodiscard]] dnnl::memory::desc layout() const { return packed_.get_desc(); }

 private:
  const Parameter& parameter_;
  dnnl::memory plain_;
  dnnl::memory packed_;
  std::uint64_t version_ = 0;
};

/// The way back: a gradient in a primitive's layout, stored row-major in Parameter::gradient.
class UnpackedGradient {
 public:
  UnpackedGradient(Parameter& parameter, const dnnl::memory::dims& dims, const dnnl::memory::desc& layout);

  /// What the primitive writes.
  const dnnl::memory& target() { return packed_; }
  /// Moves what was written to the parameter.
  void store();

 private:
  dnnl::memory plain_;
  dnnl::memory packed_;
};

/// A memory object over a parameter's values as a row-major tensor of `dims`.
dnnl::memory view(const AlignedVector<float>& values, const dnnl::memory::dims& dims);

}  // namespace adapt
