"""Every key at the ends of its range: what `adapt train --check` accepts, training starts with. The keys and ranges are
those that `adapt train --help-keys` prints."""

import re
import unittest

from adapt_program import ProgramTest, adapt, error_lines, several_at_a_time

BASE = "model: lenet5\ndata: {train_samples: 64, test_samples: 8}\ntraining: {batch: 8, shards: 1, epochs: 2}\n"
EMULATED = ("engine=emulated",)
ADAPT = (*EMULATED, "precision.policy=adapt", "precision.adapt.lookback_lower=1", "precision.adapt.lookback_upper=1000000",
         "precision.adapt.resolution_lower=2", "precision.adapt.resolution_upper=100000")  # fmt: skip
MUPPET = (*EMULATED, "precision.policy=muppet", "precision.formats=per_tensor", "precision.backward=quantized")
FIXED = (*EMULATED, "precision.policy=fixed")

# What else a key needs to mean something, by the begin of its name; the first one that fits.
COMPANIONS = {
    "precision.scales": ("precision.formats=per_tensor",),
    "precision.adapt.": ADAPT,
    "precision.muppet.": MUPPET,
    "precision.policy=muppet": MUPPET,
    "precision.policy=float32": (),
    "precision.policy": EMULATED,
    "precision.": FIXED,
    "engine.name=auto": FIXED,
    "engine.name=emulated": FIXED,
    "engine.name=integer": FIXED,
    "engine.": (),
    "exchange.error_feedback": ("exchange.encoding=int8",),
    "exchange.encoding=layer": FIXED,
    "training.schedule.name": ("training.schedule.milestones=[1]",),
    "training.schedule.origin": (*MUPPET, "training.schedule.name=cosine"),
    "training.schedule.milestones": ("training.schedule.name=multi_step",),
    "training.schedule.": ("training.schedule.name=reduce_on_plateau",),
    "training.shards": ("training.batch=4096", "data.train_samples=4096"),
    "training.accumulate": ("training.batch=1", "data.train_samples=1024"),
    "training.batch": ("training.shards=1",),
    "data.folds": ("data.train_samples=2000",),
    "data.fold": ("data.train_samples=2000", "data.folds=1000"),
    "data.crop_padding": ("data.augmentation=crop",),
    "data.train_samples": (),
}
# Values that go with no others, and those that ask for more memory or threads than a test has.
REFUSED = {"data.train_samples=1000000000", "data.test_samples=1000000000",
           "training.schedule.warmup_epochs=100000"}  # fmt: skip
LARGE = {"training.batch=1048576", "training.test_batch=1048576", "training.threads=1024", "data.train_samples=0",
         "data.test_samples=0"}  # fmt: skip
# Names of registries, one of which is enough here.
NAMES = {"model.name", "data.name"}
NUMBER = r"(-?[0-9.e+-]+)"


def keys():
    """(key, description of its range) of every key."""
    path = []
    comment = ""
    for line in adapt("train", "--help-keys").stdout.splitlines():
        indent, text = len(line) - len(line.lstrip()), line.strip()
        if text.startswith("#"):
            comment = text
        elif text:
            path = [*path[: indent // 2], text.partition(":")[0]]
            if not text.endswith(":"):
                yield ".".join(path), comment


def limits(description):
    """Values at the ends of the range."""
    if match := re.search(f": an integer from {NUMBER} to {NUMBER}$", description):
        return list(match.groups())
    if match := re.search(f": a number (above|from) {NUMBER} to (below )?{NUMBER}$", description):
        opens, low, open_high, high = match.groups()
        return [low if opens == "from" else str(float(low) + 1e-9), str(float(high) - 1e-9) if open_high else high]
    if match := re.search(f": a list of ascending integers from {NUMBER} to {NUMBER} such as", description):
        low, high = match.groups()
        return [f"[{low}]", f"[{high}]", f"[{low}, {high}]"]
    if match := re.search(": one of (.*)$", description):
        return match[1].split(", ")
    return ["true", "false"] if description.endswith(": true or false") else []


def companions(setting):
    for start, others in COMPANIONS.items():
        if setting.startswith(start):
            return others
    return ()


class Limits(ProgramTest):
    def test_what_the_check_accepts_training_starts_with(self):
        settings = [f"{key}={value}" for key, description in keys() if key not in NAMES for value in limits(description)]
        self.assertGreater(len(settings), 120)
        self.experiment(BASE)
        outcomes = several_at_a_time(self.outcome, [setting for setting in settings if setting not in LARGE], 4)
        wrong = {setting: said for setting, said in outcomes if said}
        self.assertEqual(wrong, {}, "\n".join(wrong.values()))
        self.assertEqual({setting for setting, said in outcomes if said is None}, REFUSED)

    def outcome(self, setting):
        """The setting, and: None where the check refuses it, "" where training starts, else why it does not."""
        words = [word for override in (*companions(setting), setting) for word in ("--set", override)]
        check = adapt("train", self.folder / "experiment.yaml", *words, "--check")
        if check.returncode == 2:
            self.assertRegex(check.stderr, "error: (--set |.*experiment.yaml:[0-9]+: )")
            return setting, None
        result = adapt("train", self.folder / "experiment.yaml", *words, "--out", self.folder / setting.replace("/", "_"),
                       env={"ADAPT_FAULT": "fail,phase=forward"})  # fmt: skip
        (line,) = error_lines(result)
        started = result.returncode == 1 and "fault on purpose in phase forward" in line
        return setting, "" if started or "needs a processor" in line else line


if __name__ == "__main__":
    unittest.main()
