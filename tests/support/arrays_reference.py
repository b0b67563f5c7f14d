"""What an exported .npz computes: the inference of `adapt evaluate --engine integer`, step by step as its entry `network`
says, written down once more and independently. Activations are (N, H, W, C). Sums of 8-bit layers are exact integers,
held in float64, which is exact up to 2^53; what follows a sum is rounded to float32 operation by operation, in the
program's order."""

import json

import numpy as np

F = np.float32
LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}
NEGLIGIBLE = 1e-20  # a factor below it leaves nothing of a sum


def power(exponent):
    return F(np.ldexp(1.0, exponent))


def tanh(x):
    """The program's: e^t - 1 with t = 2|x|, by a polynomial, each operation rounded to float32."""
    t = np.minimum(np.abs(x) + np.abs(x), F(20))
    rounder = F(float.fromhex("0x1.8p+23"))
    rounded = t * F(float.fromhex("0x1.715476p+0")) + rounder
    k = rounded - rounder
    r = (t - k * F(float.fromhex("0x1.62e4p-1"))) - k * F(float.fromhex("0x1.7f7d1cp-20"))
    series = F(float.fromhex("0x1.a1517cp-13"))
    for term in ("0x1.6d4328p-10", "0x1.1110c6p-7", "0x1.5554eap-5", "0x1.555556p-3", "0x1p-1"):
        series = series * r + F(float.fromhex(term))
    expm1 = r + r * r * series
    scale = np.ldexp(F(1), k.astype(np.int32)).astype(F)
    grown = scale * expm1 + (scale - F(1))
    return np.copysign(grown / (grown + F(2)), x)


ACTIVATIONS = {"relu": lambda x: np.maximum(x, F(0)), "tanh": tanh}


def windows(x, window):
    """(N, OH, OW, C, K, K): what each place of a convolution or pooling reads."""
    kernel, stride, padding = window["kernel"], window["stride"], window["padding"]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    return view[:, ::stride, ::stride]


def convolve(x, weights, window):
    """Sums of products, in float64: x (N, H, W, C), weights (O, C / groups, K, K)."""
    groups, outputs = window["groups"], len(weights)
    seen = windows(x, window)
    if groups == outputs == x.shape[3]:  # depthwise
        return np.einsum("nhwckl,ckl->nhwc", seen, weights[:, 0], dtype=np.float64, casting="unsafe", optimize=True)
    inputs = x.shape[3] // groups
    parts = []
    for group in range(groups):
        rows = seen[:, :, :, group * inputs : (group + 1) * inputs].reshape(*seen.shape[:3], -1).astype(np.float64)
        own = weights[group * (outputs // groups) : (group + 1) * (outputs // groups)]
        parts.append(rows @ own.reshape(len(own), -1).T.astype(np.float64))
    return np.concatenate(parts, axis=3)


class Network:
    """An exported network. `run(images)` gives the logits (N, classes) of normalized float32 images."""

    def __init__(self, path):
        with np.load(path) as archive:
            self.arrays = {name: archive[name] for name in archive.files}
        self.description = json.loads(self.arrays["network"].item().decode())
        self.formats = self.description["tensors"]
        self.values = self.description["values"]
        self.steps = self.description["steps"]

    def numbers(self, name):
        """A tensor as float32 numbers."""
        array = self.arrays[name]
        return array.astype(F) * power(-self.formats[name]["format"][1]) if "format" in self.formats[name] else array

    def run(self, images):
        values = {0: images}
        for step in self.steps:
            sources = [values[source] for source in step["sources"]]
            work = getattr(self, step["kind"])
            values[step["destination"]] = work(step, sources, values)
            for value in set(values) - self.read_after(step):
                del values[value]
        return values[self.steps[-1]["destination"]].reshape(len(images), -1)

    def read_after(self, step):
        """What a later step still reads."""
        later = self.steps[self.steps.index(step) + 1 :]
        read = {value for other in later for value in [*other["sources"], other.get("residual", -1)]}
        return read | {step["destination"]}

    def stored(self, number, destination):
        """As the value keeps it: rounded to nearest, ties to even, within the range of its bytes."""
        kind = self.values[destination]["type"]
        return number if kind == "float32" else np.clip(np.rint(number), *LIMITS[kind]).astype(kind)

    def grid(self, value):
        """The fractional length of bytes; of float32 numbers 0."""
        return self.values[value]["fractional_length"] if self.values[value]["type"] != "float32" else 0

    def affine(self, step, outputs):
        """Factor and addend by channel, in float64, that bias and batch norm are."""
        name = step["name"]
        factor = np.ones(outputs)
        addend = self.numbers(name + ".bias").astype(np.float64) if step["bias"] else np.zeros(outputs)
        if "batch_norm" in step:
            norm = step["batch_norm"]
            variance = self.numbers(norm + ".running_variance").astype(np.float64)
            factor = self.numbers(norm + ".scale") / np.sqrt(variance + step["epsilon"])
            addend = self.numbers(norm + ".shift") + (addend - self.numbers(norm + ".running_mean")) * factor
        return factor, addend

    def convolution(self, step, sources, values):
        name, destination = step["name"] + ".weight", step["destination"]
        weights = self.arrays[name] if step["integer"] else self.numbers(name)
        factor, addend = self.affine(step, len(weights))
        is_tanh = step.get("activation") == "tanh"
        unit = 0 if is_tanh else self.grid(destination)
        if step["integer"]:
            factor = factor * np.ldexp(1.0, unit - self.formats[name]["format"][1] - self.grid(step["sources"][0]))
            addend, seen = np.ldexp(addend, unit), np.abs(factor) > NEGLIGIBLE
            unseen = np.ldexp(1.0, np.maximum(np.where(addend == 0, 24, np.frexp(addend)[1]) - 24, -100))
            factor = np.where(seen, factor, unseen).astype(F)
            addend = np.rint(addend / factor)
            weights = weights * seen.reshape(-1, *[1] * (weights.ndim - 1))
        else:
            weights = (weights * factor.reshape(-1, *[1] * (weights.ndim - 1))).astype(F)
            factor = np.ones(len(weights), F)
        number = factor * (self.sums(step, sources[0], weights).astype(F) + addend.astype(F))
        if "operand_fractional_length" in step:
            scale = power(step["operand_fractional_length"] - unit)
            number = np.clip(np.rint(number * scale), *LIMITS["int8"]) / scale
        if "residual" in step:
            number = number + power(unit - self.grid(step["residual"])) * values[step["residual"]].astype(F)
        if "activation" in step:
            number = ACTIVATIONS[step["activation"]](number)
        return self.stored(number * power(self.grid(destination)) if is_tanh else number, destination)

    linear = convolution

    def sums(self, step, x, weights):
        if step["kind"] == "convolution":
            return convolve(x, weights, step["window"])
        return (x.reshape(len(x), -1).astype(np.float64) @ weights.T.astype(np.float64)).reshape(len(x), 1, 1, -1)

    def convert(self, step, sources, _):
        x, destination = sources[0], step["destination"]
        if x.dtype != F:
            return x
        return self.stored(x * power(self.grid(destination)), destination)

    def max_pool(self, step, sources, _):
        return windows(sources[0], step["window"]).max(axis=(4, 5))

    def average_pool(self, step, sources, _):
        seen, kernel, grid = windows(sources[0], step["window"]), step["window"]["kernel"], self.grid(step["destination"])
        if sources[0].dtype != F:
            total = seen.sum(axis=(4, 5), dtype=np.int32).astype(F)
            return self.stored(total * (power(grid - self.grid(step["sources"][0])) / F(kernel**2)), step["destination"])
        rows = sum((seen[..., y, :] for y in range(1, kernel)), seen[..., 0, :])
        mean = sum((F(1 / kernel**2) * rows[..., x] for x in range(kernel)), F(0))
        return self.stored(mean * power(grid), step["destination"])

    def batch_norm(self, step, sources, _):
        norm = step["name"]
        factor = self.numbers(norm + ".scale") / np.sqrt(self.numbers(norm + ".running_variance") + step["epsilon"])
        return ((sources[0] - self.numbers(norm + ".running_mean")) * factor + self.numbers(norm + ".shift")).astype(F)

    def relu(self, step, sources, _):
        return ACTIVATIONS["relu"](sources[0])

    def tanh(self, step, sources, _):
        return tanh(sources[0])

    def add(self, step, sources, _):
        return sources[0] + sources[1]

    def identity(self, step, sources, _):
        return sources[0]


def normalized(said):
    """The images of an `adapt evaluate --predictions` file as the network reads them."""
    levels = np.arange(256)[:, None] / 255.0
    table = ((levels - said["mean"].astype(np.float64)) / said["deviation"].astype(np.float64)).astype(F)
    images = said["images"]
    return np.stack([table[images[..., c], c] for c in range(images.shape[3])], axis=-1)


def logits_of(network, images, batch=100):
    """By pieces, so that windows find room."""
    return np.concatenate([network.run(images[i : i + batch]) for i in range(0, len(images), batch)])
