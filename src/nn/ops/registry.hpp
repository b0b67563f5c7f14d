#pragma once

#include "nn/operation.hpp"

// Every kind of operation: one line here and one file beside it.

namespace adapt::ops {

/// Convolution of (N, C, H, W) with square kernels: `channels` outputs, zero padding on all sides.
struct ConvolutionOptions {
  int channels = 0;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  bool bias = true;
};
OperationPtr convolution(const ConvolutionOptions& options);

/// Fully connected layer (N, C*H*W) -> (N, outputs). Features are taken in memory order (height, width,
/// channel).
OperationPtr linear(int outputs, bool bias = true);

/// Batch normalization over (N, H, W) per channel (Ioffe and Szegedy 2015), with scale and shift.
OperationPtr batch_norm(const NormalizationTerms& terms = {});

/// Element by element.
OperationPtr activation(Activation kind);

/// Over square windows without padding; what fills no whole window at the border is left out.
OperationPtr pooling(Pooling kind, int kernel, int stride);

/// Sum of its two inputs (residual connection, He et al. 2016).
OperationPtr addition();

/// Of an activation, to the format of a layer. Descriptions never have it: lowering puts it in.
OperationPtr quantization(QuantizePlace place);

}  // namespace adapt::ops
