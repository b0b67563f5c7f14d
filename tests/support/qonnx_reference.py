"""A small executor of QONNX models: Quant, and the operators of ONNX that adapt exports, in NumPy. Sums of products are
made in float64, where those of words are exact, and rounded once to float32; batch norm is y = x · a + b with a and b
rounded to float32, as the program's is, and an average is summed in its order."""

import numpy as np
import onnx
from arrays_reference import ACTIVATIONS, F, convolve, windows
from onnx import numpy_helper


def quant(x, scale, zero, bits, signed, narrow, rounding_mode):
    """QONNX's Quant, of the kind that adapt writes."""
    assert signed == 1 and narrow == 0 and rounding_mode == b"HALF_EVEN" and zero == 0
    limit = 2.0 ** (float(bits) - 1)
    return (np.clip(np.rint(x.astype(np.float64) / scale), -limit, limit - 1) * scale).astype(F)


def conv(x, weights, bias=None, **window):
    """x (N, C, H, W)."""
    assert len(set(window["pads"])) == len(set(window["strides"])) == len(set(window["kernel_shape"])) == 1
    geometry = {"kernel": window["kernel_shape"][0], "stride": window["strides"][0], "padding": window["pads"][0],
                "groups": window["group"]}  # fmt: skip
    y = convolve(x.transpose(0, 2, 3, 1), weights, geometry).astype(F).transpose(0, 3, 1, 2)
    return y if bias is None else y + bias[:, None, None]


def gemm(x, weights, bias=None, transB=1):
    assert transB == 1
    y = (x.astype(np.float64) @ weights.T.astype(np.float64)).astype(F)
    return y if bias is None else y + bias


def batch_norm(x, scale, shift, mean, variance, epsilon):
    # ONNX keeps epsilon in float32; the program's is a double that prints the same.
    inverse = 1 / np.sqrt(variance.astype(np.float64) + float(f"{epsilon:.7g}"))
    factor = scale * inverse
    shape = [1, -1] + [1] * (x.ndim - 2)
    return x * factor.astype(F).reshape(shape) + (shift - mean * factor).astype(F).reshape(shape)


def pool(kernel_shape, strides, pads):
    assert not any(pads)
    return {"kernel": kernel_shape[0], "stride": strides[0], "padding": 0}


def average(x, window):
    seen = windows(x.transpose(0, 2, 3, 1), window)
    kernel = window["kernel"]
    rows = sum((seen[..., y, :] for y in range(1, kernel)), seen[..., 0, :])
    return sum((F(1 / kernel**2) * rows[..., i] for i in range(kernel)), F(0)).transpose(0, 3, 1, 2)


OPERATORS = {
    "Quant": quant,
    "Conv": conv,
    "Gemm": gemm,
    "BatchNormalization": batch_norm,
    "Relu": lambda x: ACTIVATIONS["relu"](x),
    "Tanh": lambda x: ACTIVATIONS["tanh"](x),
    "Add": lambda a, b: a + b,
    "Identity": lambda x: x,
    "Flatten": lambda x: x.reshape(len(x), -1),
    "MaxPool": lambda x, **window: windows(x.transpose(0, 2, 3, 1), pool(**window)).max(axis=(4, 5)).transpose(0, 3, 1, 2),
    "AveragePool": lambda x, **window: average(x, pool(**window)),
    "GlobalAveragePool": lambda x: average(x, {"kernel": x.shape[2], "stride": x.shape[2], "padding": 0}),
}


class Network:
    """An exported QONNX model. `run(images)` gives the logits of normalized images (N, H, W, C)."""

    def __init__(self, path):
        self.model = onnx.load(path)
        onnx.checker.check_model(self.model)
        self.constants = {each.name: numpy_helper.to_array(each) for each in self.model.graph.initializer}

    def run(self, images):
        values = {**self.constants, "images": images.transpose(0, 3, 1, 2)}
        for node in self.model.graph.node:
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            values[node.output[0]] = OPERATORS[node.op_type](*(values[name] for name in node.input), **attributes)
        return values["logits"]
