"""What a gradient exchange costs: bytes and messages of a rank for each encoding, and the time that an alpha-beta network
takes for them. src/exchange/packed_sum.hpp, algorithm.hpp and bucket_layout.hpp describe what is modelled; how far it is from
simulations of that code, experiments/scale/README.md says."""

import dataclasses
import math

from analysis.configuration import flatten_yaml
from analysis.errors import BadInput

BUCKET_ELEMENTS = 32768  # BucketLayout::kElements
FLOAT_BITS = 32
EXACT_BITS = 36  # of a gradient in units of 2^-40 that is below 2^-5; what a block really takes depends on its values
ALGORITHMS = ("direct", "tree")  # of ranks that are alike; hierarchical is the tree among nodes
ENCODINGS = ("float32", "exact", "layer", "int16", "int8")
USUAL_PROCESSOR_US = "1"  # half a microsecond at either end
MOST = 1e12  # of a number that describes a network
DEFAULT_FABRICS = "fabrics.yaml"


@dataclasses.dataclass(frozen=True)
class Fabric:
    """A network."""

    name: str
    alpha: float  # seconds of a message without content
    bandwidth: float  # bytes per second that a process can send
    processor: float = 0.0  # seconds of a processor for a message that it sends and one that it receives

    def seconds(self, load, factor=1.0):
        """Time of a Traffic whose bytes are `factor` times as many. Buckets go side by side, so the rounds of one are waited for,
        and beside them what is scarcer: the wire or the processor."""
        return load.rounds * self.alpha + max(load.sent * factor / self.bandwidth, load.messages * self.processor)


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What one rank sends in one step."""

    rounds: int  # of a bucket: messages that wait for others
    messages: int
    sent: float  # bytes


def read_fabrics(path):
    """name -> Fabric of the YAML file at `path`. BadInput, one line, when a number is missing or makes no sense."""
    try:
        with open(path, encoding="utf-8") as file:
            values = flatten_yaml(file.read())
    except (OSError, UnicodeDecodeError, BadInput) as error:
        raise BadInput(f"{path}: {error}; expected a file like analysis/{DEFAULT_FABRICS}") from None
    names = list(dict.fromkeys(key.split(".")[0] for key in values))
    if not names:
        raise BadInput(f"{path}: no network in it; expected a file like analysis/{DEFAULT_FABRICS}")
    return {name: Fabric(name, 1e-6 * _positive(values, name, "alpha_us", path),
                         1e9 * _positive(values, name, "gbytes_per_s", path),
                         1e-6 * _positive(values, name, "processor_us", path, USUAL_PROCESSOR_US)) for name in names}  # fmt: skip


def _positive(values, name, key, path, default="none"):
    text = values.get(f"{name}.{key}", default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < MOST:
        raise BadInput(f"{path}: {name}: {key} is {text}, expected a number above 0 and below {MOST:g}")
    return value


def bucket_count(sizes):
    """Buckets that the gradients of layers of these sizes are exchanged in: from the last layer on, each takes layers until it
    has BUCKET_ELEMENTS numbers."""
    buckets, held = 0, BUCKET_ELEMENTS
    for size in reversed(sizes):
        if held >= BUCKET_ELEMENTS:
            buckets, held = buckets + 1, 0
        held += size
    return buckets


def traffic(encoding, sizes, ranks, shards, word_length, algorithm="direct"):
    """Traffic of a rank for the gradients of layers of these sizes, `shards` shards over all ranks; `word_length` is that of
    the encoding "layer", `algorithm` that of integer sums. Widths are those that the values need at most; blocks of small values
    take fewer."""
    if ranks == 1:
        return Traffic(0, 0, 0.0)
    elements = sum(sizes)
    share = (ranks - 1) / ranks
    buckets = bucket_count(sizes)
    halvings = 2 * math.ceil(math.log2(ranks))
    if encoding == "float32":  # recursive halving and doubling
        return Traffic(halvings, halvings * buckets, 2 * share * elements * FLOAT_BITS / 8)
    bits = {"exact": EXACT_BITS, "layer": word_length, "int16": 16, "int8": 8}[encoding]
    there = bits + math.ceil(math.log2(max(1, math.ceil(shards / ranks))))
    back = bits if encoding in ("int8", "int16") else bits + math.ceil(math.log2(shards))
    if algorithm == "tree":  # half as many, one bit wider, in each round
        there += sum(step / 2 ** (step + 1) for step in range(math.ceil(math.log2(ranks)))) / share
        return Traffic(halvings, halvings * buckets, share * elements * (there + back) / 8)
    return Traffic(2, 2 * (ranks - 1) * buckets, share * elements * (there + back) / 8)
