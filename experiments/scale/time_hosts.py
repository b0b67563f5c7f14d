#!/usr/bin/python3
"""time_hosts.py ADAPT [HOSTS [RATE...]]: seconds of a training step on 4 hosts of one rank (hosts.py), links of 1gbit and 100mbit,
measured by `adapt bench step`: float32 by MPI_Allreduce, and the integer encodings by direct and tree. Prints rows of
results/hosts.csv. All hosts share this machine's processors, so computing takes longer than on hosts of their own and hides less
of what the network takes: compare rows, not numbers with those of other machines."""

import json
import subprocess
import sys

import hosts

MODELS = ("resnet20", "alexnet")
# Encoding, algorithm; "layer" has formats with the integer engine only, where float32's rival is the same engine.
WAYS = (("float32", "auto"), ("exact", "direct"), ("exact", "tree"), ("int8", "direct"), ("int8", "tree"))
COLUMNS = "rate,hosts,model,encoding,algorithm,step_median_s,step_min_s,step_max_s,exchange_s,repeats"


def measure(cluster, program, model, engine, encoding, algorithm):
    """The result of one benchmark."""
    words = [program, "bench", "step", "--model", model, "--engine", engine, "--encoding", encoding, "--algorithm", algorithm,
             "--batch", "32", "--shards", str(cluster.count), "--seconds", "2", "--repeats", "3", "--json"]  # fmt: skip
    line = cluster.mpirun(cluster.count, words)
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(map(str, words))}: {done.stderr}")
    return json.loads(done.stdout)["results"][0]


def main(arguments):
    """Prints the table."""
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    program, count, *rates = [*arguments, *(["4"] if len(arguments) < 2 else [])]
    print(COLUMNS, flush=True)
    for rate in rates or ("1gbit", "100mbit"):
        with hosts.Hosts(int(count), rate) as cluster:
            for model in MODELS:
                ways = [("float32", *way) for way in WAYS] + [("integer", "layer", "direct"), ("integer", "layer", "tree")]
                for engine, encoding, algorithm in ways:
                    result = measure(cluster, program, model, engine, encoding, algorithm)
                    seconds = result["seconds"]
                    print(rate, count, model, encoding, algorithm, f"{seconds['median']:.4f}", f"{seconds['min']:.4f}",
                          f"{seconds['max']:.4f}", f"{result['phases']['exchange']:.4f}", result["repeats"],
                          sep=",", flush=True)  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
