"""A small store whose names and values try to break out of the page that shows them."""

import json
import os
import re

from synthetic_run import adaptive_layer, constant_layer, write_run

NASTY = "</script><img src=x onerror=\"document.title='broken'\"><b>&amp;'"
# A name that tries to forge lines, clear a terminal, turn its text, compute, and be code.
HOSTILE = "-x\nerror: forged\n0123456789abcdef  done\x1b[2J\x9b2J\u202egnp\u2066 | <script>alert(1)</script> $a_b$ & \\input{x}"
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
SUMMARY = {"modelled_training_speedup": 1.5, "modelled_inference_speedup": 2.0, "modelled_model_size": 0.25,
           "modelled_training_memory": 1.25, "mean_word_length": 8.0, "final_density": 0.75}  # fmt: skip
STEPS = 60


def write_store(store):
    """Three seeds each of adapt and float32, done; one run unfinished, one failed at its first epoch, one before. Returns
    the names of the runs."""
    count = 0
    for policy in ("adapt", "float32"):
        for seed in range(3):
            layers = {f"conv{i}": (1000 * (i + 1), 100, adaptive_layer(STEPS, 10 * seed + i)
                                   if policy == "adapt" else constant_layer(STEPS, 32, 0)) for i in range(4)}  # fmt: skip
            accuracies = [0.5, 0.6 + 0.01 * seed + (0.1 if policy == "float32" else 0)]
            write_run(_folder(store, count), layers, policy=policy, seed=seed, steps=STEPS, summary=SUMMARY,
                      test_accuracy=accuracies, configuration=f"name: {json.dumps(NASTY)}\n")  # fmt: skip
            count += 1
    for state in ("unfinished", "failed"):
        write_run(_folder(store, count), {}, policy="adapt", seed=count, epochs=1, done=False)
        if state == "failed":
            _fail(_folder(store, count), "loss is NaN")
        count += 1
    os.makedirs(_folder(store, count))
    with open(os.path.join(_folder(store, count), "experiment.yaml"), "w", encoding="utf-8") as stream:
        stream.write("seed: 9\nprecision:\n  policy: fixed\n")
    _fail(_folder(store, count), NASTY)
    return [f"{index:016x}" for index in range(count + 1)]


def _folder(store, number):
    return os.path.join(store, f"{number:016x}")


def _fail(folder, message):
    with open(os.path.join(folder, "FAILED"), "w", encoding="utf-8") as stream:
        json.dump({"exit_code": 1, "message": message, "time": "2026-01-01T00:00:00Z", "requeues": 0}, stream)
