#pragma once

#include <dnnl.hpp>

#include "nn/kernels/window_product.hpp"

namespace adapt {

/// The three products of a layer with a weight tensor.
enum class ProductRole { forward, data_gradient, weight_gradient };

/// Takes `product`, a product of float32 or bfloat16 numbers that oneDNN described, on to the first of the
/// library's implementations that gives a known answer: small integers go in, of which the sums are exact in
/// float32 whatever their order, and every one of them is compared. An implementation that writes beside its
/// memory is not taken either. `layer` is the layer's forward product. Each implementation is tried once for
/// each shape in a process; the first that is found to be wrong is logged. Throws Failure where all are. A
/// gradient is described from a forward product only once that is trusted: oneDNN keeps no copy of it.
void trust(dnnl::primitive_desc& product, ProductRole role, const WindowProduct& layer);

}  // namespace adapt
