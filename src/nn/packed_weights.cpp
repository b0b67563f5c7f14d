#include "nn/packed_weights.hpp"

#include "nn/kernels/onednn.hpp"
#include "nn/kernels/trusted_packing.hpp"

namespace adapt {

dnnl::memory view(const AlignedVector<float>& values, const dnnl::memory::dims& dims) {
  // oneDNN has no pointer to const; inputs are not written.
  return {onednn::plain(dims), onednn::engine(), const_cast<float*>(values.data())};
}

PackedWeights::PackedWeights(const Parameter& parameter, const dnnl::memory::dims& dims,
                             const dnnl::memory::desc& layout)
    : parameter_(parameter), plain_(view(parameter.working, dims)) {
  packed_ = layout == plain_.get_desc() ? plain_ : dnnl::memory(layout, onednn::engine());
}

const dnnl::memory& PackedWeights::get() {
  if (version_ != parameter_.version) {
    if (packed_.get_data_handle() != plain_.get_data_handle()) {
      pack(plain_, packed_);
    }
    version_ = parameter_.version;
  }
  return packed_;
}

UnpackedGradient::UnpackedGradient(Parameter& parameter, const dnnl::memory::dims& dims,
                                   const dnnl::memory::desc& layout)
    : plain_(view(parameter.gradient, dims)) {
  packed_ = layout == plain_.get_desc() ? plain_ : dnnl::memory(layout, onednn::engine());
}

void UnpackedGradient::store() {
  if (packed_.get_data_handle() != plain_.get_data_handle()) {
    onednn::reorder(packed_, plain_);
  }
}

}  // namespace adapt
