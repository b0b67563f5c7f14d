"""The operations of the paper's networks, counted as the authors' code counts them (github.com/lorenz0890/AdaPT, commit
81e54e0, utils/analytics.py).

Its counts take kernel shapes, batch norms and activations, which a log does not hold; the shapes of our networks stand
here and are checked against the multiply-adds and parameters that a log holds of each layer. Deliberately not taken
over are the slips of that script in walking through a network (experiments/paper/FIDELITY.md): here, each operation is
counted once, on the feature map that it sees.
"""

import dataclasses
import math

IMAGES = ((32, 32, 3), (28, 28, 1))  # (H, W, C) of CIFAR and of the MNIST family
RELU, TANH = 1, 4  # operations per value, where an activation follows directly
RESNET = "resnet"


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation of a network, for one image."""

    layer: str  # that gives it its format: its own, or that of the convolution before a batch norm
    madds: int  # the authors' count, the activation behind it included
    elements: int  # what a precision switch works on: kernel without input channels, else the feature map
    size: tuple | None  # (multiply-adds, parameters) as `adapt` logs them of a layer; None for a batch norm


def counted_operations(model, layers):
    """The Operations of network `model` whose layers were logged as `layers` (analysis.run_file.Layer). None for one
    that is not of the paper's kinds (AlexNet, LeNet-5, the ResNet family) or has other sizes."""
    build = _builder(model)
    sizes = {layer.name: (layer.madds, layer.parameters) for layer in layers}
    for image in IMAGES if build else ():
        walk = _Walk(image, sizes)
        build(walk)
        if {operation.layer: operation.size for operation in walk.operations if operation.size} == sizes:
            return walk.operations
    return None


class _Walk:
    """Follows the feature map, `map` = (H, W, C), through a network and collects its operations."""

    def __init__(self, image, sizes):
        self.map = image
        self.operations = []
        self._sizes = sizes

    def convolution(self, layer, channels, kernel, stride=1, padding=0, activation=0):
        """With a square kernel."""
        height, width, inputs = self.map
        sides = [(side + 2 * padding - kernel) // stride + 1 for side in (height, width)]
        self.map = (*sides, channels)
        madds = 2 * height * width * inputs * channels * (inputs * kernel + 1) + activation * math.prod(self.map)
        parameters = kernel**2 * inputs * channels
        self._add(layer, madds, kernel**2 * channels, (math.prod(sides) * parameters, parameters))

    def batch_norm(self, layer, activation=0):
        """Behind the convolution `layer`."""
        values = math.prod(self.map)
        self._add(layer, (4 + activation) * values, values, None)

    def pool(self, size):
        """Costs nothing: it has no parameters, and the authors' log holds tensors of parameters only."""
        height, width, channels = self.map
        self.map = (height // size, width // size, channels)

    def linear(self, layer, inputs, activation=0):
        """As many outputs as the logged layer has. The feature map stays that before the first linear layer, and
        an activation is counted for each weight and channel of it."""
        outputs = self._sizes.get(layer, (0, 0))[1] // inputs
        weights = inputs * outputs
        madds = 2 * weights - inputs + activation * weights * self.map[2]
        self._add(layer, madds, math.prod(self.map), (weights, weights))

    def _add(self, *fields):
        self.operations.append(Operation(*fields))


def _builder(model):
    """The function that walks through network `model`, None for another one."""
    depth = model.removeprefix(RESNET)
    if model.startswith(RESNET) and depth.isdigit() and int(depth) >= 8 and int(depth) % 6 == 2:
        return lambda walk: _resnet(walk, (int(depth) - 2) // 6)
    return {"alexnet": _alexnet, "lenet5": _lenet5}.get(model)


def _alexnet(walk):
    walk.convolution("conv1", 64, 11, stride=4, padding=5, activation=RELU)
    walk.pool(2)
    walk.convolution("conv2", 192, 5, padding=2, activation=RELU)
    walk.pool(2)
    for layer, channels in (("conv3", 384), ("conv4", 256), ("conv5", 256)):
        walk.convolution(layer, channels, 3, padding=1, activation=RELU)
    if walk.map[0] > 1:
        walk.pool(2)
    walk.linear("fc", 256)


def _lenet5(walk):
    walk.convolution("conv1", 6, 5, padding=2, activation=TANH)
    walk.pool(2)
    walk.convolution("conv2", 16, 5, activation=TANH)
    walk.pool(2)
    walk.convolution("conv3", 120, 5, activation=TANH)
    walk.linear("fc1", 120, activation=TANH)
    walk.linear("fc2", 84)


def _resnet(walk, blocks):
    walk.convolution("conv1", 16, 3, padding=1)
    walk.batch_norm("conv1", activation=RELU)
    for stage, channels in enumerate((16, 32, 64), start=1):
        for block in range(1, blocks + 1):
            _basic_block(walk, f"stage{stage}.block{block}", channels, shrinks=stage > 1 and block == 1)
    walk.pool(walk.map[0])
    walk.linear("fc", 64)


def _basic_block(walk, name, channels, shrinks):
    """The ReLU behind the sum is no neighbour of a batch norm, and so is not counted."""
    entry, stride = walk.map, 2 if shrinks else 1
    if shrinks:
        walk.convolution(f"{name}.shortcut", channels, 1, stride)
        walk.batch_norm(f"{name}.shortcut")
        walk.map = entry
    walk.convolution(f"{name}.conv1", channels, 3, stride, padding=1)
    walk.batch_norm(f"{name}.conv1", activation=RELU)
    walk.convolution(f"{name}.conv2", channels, 3, padding=1)
    walk.batch_norm(f"{name}.conv2")
