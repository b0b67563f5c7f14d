"""Short trainings whose models are exported, by network and word lengths: on MNIST and CIFAR-10 where $ADAPT_DATA leads
to them, else on procedural digits."""

import os
import pathlib

import numpy as np
from adapt_program import adapt
from arrays_reference import normalized

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = os.environ.get("ADAPT_DATA", "")

# The data set, images trained and tested on (MobileNetV2 is the slowest), and the epsilon at which some layers stay
# within 8 bits and others do not.
NETWORKS = {
    "lenet5": ("mnist", 2048, 500, 0.03),
    "alexnet": ("cifar10", 1024, 200, 0.005),
    "resnet20": ("cifar10", 512, 100, 0.03),
    "mobilenet_v2": ("cifar10", 128, 40, 0.03),
}
EIGHT_BITS = """\
precision: {policy: fixed, fixed: {word_length: 8}, formats: per_tensor, backward: quantized}
engine: auto
"""
# The recipe for integers, with windows so short that some layers leave 8 bits within a few steps.
RECIPE = f"""\
base: {ROOT}/experiments/recipes/integer.yaml
precision:
  adapt: {{lookback_lower: 2, lookback_upper: 3, epsilon: EPSILON, tiers: [8, 12, 16]}}
"""
# The same with a format for every output: what float32 sums of words lose in the last bits, that rounding takes away.
MIXED = RECIPE + "  quantize: {unnormalized: true}\n"
PRECISIONS = {"8 bits": EIGHT_BITS, "mixed": MIXED, "recipe": RECIPE}


def folder_of(dataset):
    """Where its files lie, as the program finds them."""
    names = {"mnist": "mnist", "cifar10": "cifar-10-batches-bin"}
    return pathlib.Path(DATA) / names[dataset]


def train(folder, network, precision, *settings):
    """A run of `network` in folder/NAME; its path."""
    dataset, train_samples, test_samples, epsilon = NETWORKS[network]
    if not DATA or not folder_of(dataset).is_dir():
        dataset = "procedural"
    experiment = folder / f"{network}.yaml"
    experiment.write_text(PRECISIONS[precision].replace("EPSILON", str(epsilon)) + f"""\
name: exported
seed: 1
model: {network}
data: {{name: {dataset}, path: "{DATA}", train_samples: {train_samples}, test_samples: {test_samples}}}
training: {{epochs: 1, batch: 32, shards: 2, learning_rate: 0.05, test_batch: 50}}
""")  # fmt: skip
    run = folder / f"{network} {precision}"
    words = [word for setting in settings for word in ("--set", setting)]
    done(adapt("train", experiment, "--out", run, *words, timeout=300))
    return run


def done(result):
    """Raises unless the program ended well."""
    if result.returncode != 0:
        raise AssertionError(f"{result.args}\n{result.stdout}\n{result.stderr}")
    return result


def export(run, to, out):
    """What the program said."""
    return done(adapt("export", run, "--to", to, "--out", out)).stdout


def word_lengths(run):
    """Those of the weights of a run's layers."""
    table = export(run, "packed", run / "model.packed").splitlines()[1:]
    return {int(line.split()[1]) for line in table}


class Said:
    """What `adapt evaluate` says of a run's test set: images as the network reads them, logits, classes. Products are
    the program's own: those of its library round what follows a sum in an order that is nobody's promise."""

    def __init__(self, run, engine):
        path = run / f"{engine}.npz"
        own = {"ONEDNN_MAX_CPU_ISA": "AVX2"} if engine == "integer" else {}
        done(adapt("evaluate", run, "--engine", engine, "--predictions", path, env=own, timeout=300))
        with np.load(path) as archive:
            self.images = normalized(archive)
            self.logits = archive["logits"]
            self.labels = archive["labels"]
        self.classes = self.logits.argmax(axis=1)


def same_bits(a, b):
    """Whether float32 arrays are equal bit for bit, but for the sign of zero."""
    return a.shape == b.shape and ((a == b).all())
