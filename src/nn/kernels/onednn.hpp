#pragma once

#include <dnnl.hpp>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nn/kernels/window_product.hpp"
#include "nn/shape.hpp"

/// The thin adapter that holds the differences between oneDNN 2.x (operation descriptors) and 3.x (none). The
/// rest of the module names primitives through these functions only. All layouts of activations are channels
/// last: what a random number or an integer engine sees under an index does not depend on the instruction
/// set, and no reorder stands between layers.
namespace adapt::onednn {

/// The process's CPU engine and its stream.
const dnnl::engine& engine();
dnnl::stream& stream();

/// Version of the library at run time, "2.6.3".
std::string version();

/// The instruction set that the library's kernels use, "avx512_core_vnni".
std::string instruction_set();

/// Runs `work`; where oneDNN has no memory, std::bad_alloc is thrown.
template <class Work>
auto translated(Work&& work) {
  try {
    return work();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) {
      throw std::bad_alloc();
    }
    throw;
  }
}

using Arguments = std::unordered_map<int, dnnl::memory>;

/// The scratchpad that a primitive wants to be given; empty where the library has its own.
dnnl::memory::desc scratchpad_of(const dnnl::primitive& primitive);

/// Runs a primitive and waits for its end. A scratchpad that it wants and that is not among the arguments is
/// the process's own, which all primitives share.
void run(const dnnl::primitive& primitive, Arguments arguments);

/// Geometry of a convolution or pooling window; dilation 0 means dense.
struct Window {
  dnnl::memory::dims strides;
  dnnl::memory::dims kernel;
  dnnl::memory::dims padding_before;
  dnnl::memory::dims padding_after;
};

/// Our square windows from maps of `input` to `output`.
Window window_of(const adapt::Window& window, const Shape& input, const Shape& output);

/// Dimensions of weights (O, I / groups, KH, KW), whose groups the library sees as a dimension of their own.
dnnl::memory::dims weight_dims(const WindowProduct& product);

struct Kept {
  std::shared_ptr<const void> kept;
};

/// The description of a product. Going on to the next implementation, oneDNN reads again what the description
/// was made from and does not keep it: the forward description of a gradient, and in 2.x the operation's.
template <class Primitive>
class Description : Kept, public Primitive::primitive_desc {
 public:
  template <class... Arguments>
  explicit Description(std::shared_ptr<const void> made_from, const Arguments&... arguments)
      : Kept{std::move(made_from)}, Primitive::primitive_desc(arguments...) {}
};

using ConvolutionForward = Description<dnnl::convolution_forward>;
using ConvolutionData = Description<dnnl::convolution_backward_data>;
using ConvolutionWeights = Description<dnnl::convolution_backward_weights>;
using LinearForward = Description<dnnl::inner_product_forward>;
using LinearData = Description<dnnl::inner_product_backward_data>;
using LinearWeights = Description<dnnl::inner_product_backward_weights>;
using PoolingForward = dnnl::pooling_forward::primitive_desc;
using PoolingBackward = dnnl::pooling_backward::primitive_desc;
using ElementwiseForward = dnnl::eltwise_forward::primitive_desc;
using ElementwiseBackward = dnnl::eltwise_backward::primitive_desc;
using NormalizationForward = dnnl::batch_normalization_forward::primitive_desc;
using NormalizationBackward = dnnl::batch_normalization_backward::primitive_desc;
using Addition = dnnl::binary::primitive_desc;

/// Operands of a convolution or linear layer; `bias` may be a zero descriptor (no bias).
struct ProductShapes {
  dnnl::memory::desc source;
  dnnl::memory::desc weights;
  dnnl::memory::desc bias;
  dnnl::memory::desc destination;
};

ConvolutionForward convolution_forward(bool training, const ProductShapes& shapes, const Window& window);
ConvolutionData convolution_backward_data(const ProductShapes& shapes, const Window& window,
                                          const ConvolutionForward& hint);
ConvolutionWeights convolution_backward_weights(const ProductShapes& shapes, const Window& window,
                                                const ConvolutionForward& hint);

LinearForward linear_forward(bool training, const ProductShapes& shapes);
LinearData linear_backward_data(const ProductShapes& shapes, const LinearForward& hint);
LinearWeights linear_backward_weights(const ProductShapes& shapes, const LinearForward& hint);

PoolingForward pooling_forward(bool training, dnnl::algorithm algorithm, const dnnl::memory::desc& source,
                               const dnnl::memory::desc& destination, const Window& window);
PoolingBackward pooling_backward(dnnl::algorithm algorithm, const dnnl::memory::desc& source,
                                 const dnnl::memory::desc& destination, const Window& window,
                                 const PoolingForward& hint);

ElementwiseForward elementwise_forward(bool training, dnnl::algorithm algorithm,
                                       const dnnl::memory::desc& data);
ElementwiseBackward elementwise_backward(dnnl::algorithm algorithm, const dnnl::memory::desc& data,
                                         const ElementwiseForward& hint);

/// With per-channel scale and shift; at inference with given statistics.
NormalizationForward normalization_forward(bool training, const dnnl::memory::desc& data, float epsilon);
NormalizationBackward normalization_backward(const dnnl::memory::desc& data, float epsilon,
                                             const NormalizationForward& hint);
/// Whether the gradient takes the shift as an argument: 2.x insists on it, 3.x refuses it.
bool takes_shift(const NormalizationBackward& description);

/// What becomes of a product's sums at inference: destination = output_factor · activation(factor[c] · sum +
/// addend[c] + residual_factor · what stood in the destination), in float32, then rounded to nearest and
/// clamped where the destination holds bytes.
struct Epilogue {
  std::vector<float> factors;  ///< (C), of integer sums, none zero; empty: 1
  std::vector<float> addends;  ///< (C), to the sums, before the factors
  std::optional<float> residual_factor;
  dnnl::memory::data_type residual_type = dnnl::memory::data_type::undef;
  std::optional<dnnl::algorithm> activation;
  float output_factor = 1;
};

/// Whether an epilogue's addends are added before its factors multiply; else each sum and its addend are
/// multiplied for themselves.
constexpr bool adds_before_it_scales() { return DNNL_VERSION_MAJOR < 3; }

/// Products with an epilogue. The bias of `shapes` is not used.
ConvolutionForward convolution_inference(const ProductShapes& shapes, const Window& window,
                                         const Epilogue& epilogue);
LinearForward linear_inference(const ProductShapes& shapes, const Epilogue& epilogue);

/// A primitive with its arguments, made once and run often: nothing is allocated or checked by a call.
class PreparedCall {
 public:
  using Pairs = std::vector<std::pair<int, dnnl::memory>>;

  PreparedCall(const dnnl::primitive& primitive, const Pairs& arguments);
  /// What the primitive wrote is there once stream().wait() has returned.
  void run() const;

 private:
  dnnl::primitive primitive_;
  Pairs owned_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

/// The arguments that the epilogue adds to source, weights and destination.
PreparedCall::Pairs epilogue_arguments(const Epilogue& epilogue);

/// The change of layout or type of float numbers from `source` to `destination`.
PreparedCall prepared_reorder(const dnnl::memory& source, const dnnl::memory& destination);

/// Element-wise sum of two tensors of the same shape.
Addition addition(const dnnl::memory::desc& data);

/// Whether the library's 8-bit products are exact: kernels without VNNI add pairs of products with 16-bit
/// saturation. The environment variable ONEDNN_MAX_CPU_ISA lowers the instruction set.
bool has_exact_bytes();

/// Whether bfloat16 products run in hardware (AVX512-BF16 or AMX); elsewhere oneDNN refuses or imitates them,
/// slower than float32.
bool has_bfloat16();

/// Type of a descriptor's elements, and how many it has along each dimension.
dnnl::memory::data_type type_of(const dnnl::memory::desc& description);
dnnl::memory::dims dims_of(const dnnl::memory::desc& description);

/// Descriptors of 8-bit activations and their 32-bit sums (N, C, H, W), channels last.
dnnl::memory::desc byte_activation(int n, int c, int h, int w);
dnnl::memory::desc sum_activation(int n, int c, int h, int w);
/// Descriptor of row-major 8-bit weights, and of 8-bit weights in whatever layout the primitive likes best.
dnnl::memory::desc plain_bytes(const dnnl::memory::dims& dims);
dnnl::memory::desc any_layout_bytes(const dnnl::memory::dims& dims);

/// Descriptor of an activation (N, C, H, W) of numbers, channels last.
dnnl::memory::desc activation(int n, int c, int h, int w,
                              dnnl::memory::data_type type = dnnl::memory::data_type::f32);
/// Descriptor of a matrix or vector of numbers, row-major.
dnnl::memory::desc plain(const dnnl::memory::dims& dims,
                         dnnl::memory::data_type type = dnnl::memory::data_type::f32);
/// Descriptor of weights in whatever layout the primitive likes best.
dnnl::memory::desc any_layout(const dnnl::memory::dims& dims,
                              dnnl::memory::data_type type = dnnl::memory::data_type::f32);

/// Copies `source` to `destination`, changing the layout.
void reorder(const dnnl::memory& source, const dnnl::memory& destination);

}  // namespace adapt::onednn
