"""Every file under experiments/ is what it says: the program reads it, and its keys are the published ones."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ.get("ADAPT_PROGRAM", "adapt")
ROOT = pathlib.Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / "experiments"
sys.path.insert(0, str(ROOT))

from analysis.configuration import flatten_yaml  # noqa: E402

FOLDERS = {"paper": "paper_", "short": "short_"}
# Grids by folder: what their names start with, the folder of what they stand on, seeds.
CAMPAIGN = EXPERIMENTS / "paper" / "campaign.yaml"
GRIDS = {"ablations": ("ablation_", "short", 3), "cluster": ("cluster_", "paper", 5)}

# The hyper-parameters of the published experiments (arXiv 2107.13490 v4): what all share, then what cells change.
PUBLISHED = {
    "training.epochs": 100, "training.batch": 512, "training.accumulate": 4, "training.learning_rate": 0.1,
    "training.momentum": 0.9, "training.weight_decay": 1e-4, "training.l1": 1e-8,
    "training.schedule.factor": 0.1, "training.schedule.patience": 10, "training.schedule.threshold": 1e-6,
    "precision.adapt.word_length": 8, "precision.adapt.fractional_length": 4,
    "precision.adapt.lookback_lower": 25, "precision.adapt.lookback_upper": 100,
    "precision.adapt.resolution_lower": 50, "precision.adapt.resolution_upper": 150,
    "precision.adapt.lookback_momentum": 0.33, "precision.adapt.buffer_bits": 8,
    "model.init_scale": 0.5,
}  # fmt: skip
CELLS = {
    "alexnet_cifar10": {"training.l1": 1e-4, "training.weight_decay": 1e-8, "precision.adapt.buffer_bits": 4},
    "alexnet_cifar100": {"precision.adapt.lookback_upper": 150, "precision.adapt.lookback_momentum": 0.9},
    "resnet20_cifar10": {"precision.adapt.lookback_momentum": 1},
    "resnet20_cifar100": {"training.accumulate": 2, "precision.adapt.lookback_momentum": 0.9},
    "lenet5_mnist": {"training.epochs": 15, "training.batch": 256,
                     "precision.adapt.buffer_bits": 4, "precision.adapt.lookback_upper": 150,
                     "precision.adapt.lookback_momentum": 0.9},
}  # fmt: skip
# The recipe that the float32 accuracies of other programs were measured with.
SHORT = {"training.epochs": 20, "training.batch": 128, "training.accumulate": 1, "training.momentum": 0.9,
         "training.weight_decay": 1e-4, "training.l1": 0}  # fmt: skip
SHORT_RATES = {"alexnet": 0.05, "resnet20": 0.1}
# Divided by their norm, AlexNet's gradients are longer than they were.
SHORT_RATES_UNIT_GRADIENTS = {"alexnet_cifar10": 0.025, "alexnet_cifar100": 0.02}
# A schedule that falls later, and room for values beyond 8.
SHORT_SPECIAL = {"alexnet_cifar10": {"training.schedule.name": "linear", "precision.adapt.buffer_bits": "6"}}


def check(path):
    """(identity, resolved configuration) as `adapt train --check` prints them."""
    result = subprocess.run([PROGRAM, "train", "--check", str(path)], capture_output=True, text=True, timeout=60)
    if result.returncode != 0:
        raise AssertionError(f"{path}: exit code {result.returncode}: {result.stderr}")
    first, _, text = result.stdout.partition("\n")
    return first.removeprefix("# identity: "), text


def expand(path):
    """The runs of a grid as `adapt sweep --list --json` prints them."""
    result = subprocess.run([PROGRAM, "sweep", str(path), "--list", "--json", "--store", os.devnull + "/none"],
                            capture_output=True, text=True, timeout=60)  # fmt: skip
    if result.returncode != 0:
        raise AssertionError(f"{path}: exit code {result.returncode}: {result.stderr}")
    runs = json.loads(result.stdout)
    for run in runs:  # flatten_yaml leaves out what is empty
        run["configuration"] = {key: value for key, value in run["configuration"].items() if value != ""}
    return runs


def json_values(keys):
    """Values of flatten_yaml as JSON has them."""
    def value(text):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return {key: value(text) for key, text in keys.items()}


def differing(a, b):
    """Keys with different values, but for where the data lie: a grid fixes that, which has no part in the identity."""
    return {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)} - {"data.path"}


class ExperimentFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.paths = sorted(path for path in EXPERIMENTS.rglob("*.yaml")
                           if not {"ablations", "models"} & set(path.parts) and path != CAMPAIGN)  # fmt: skip
        checked = {path: check(path) for path in cls.paths}
        cls.identity = {path: checked[path][0] for path in cls.paths}
        cls.text = {path: checked[path][1] for path in cls.paths}
        cls.keys = {path: flatten_yaml(cls.text[path]) for path in cls.paths}

    def files(self, folder):
        return [path for path in self.paths if path.parent.name == folder]

    def file(self, folder, name):
        return self.keys[EXPERIMENTS / folder / f"{name}.yaml"]

    def assert_numbers(self, keys, expected):
        self.assertEqual({key: float(keys[key]) for key in expected}, expected, keys["name"])

    def test_identities_are_sha256_and_tell_experiments_apart(self):
        for path, identity in self.identity.items():
            self.assertRegex(identity, "^[0-9a-f]{64}$", path)
        runnable = [path for folder in FOLDERS for path in self.files(folder)]
        self.assertEqual(len({self.identity[path] for path in runnable}), len(runnable))

    def test_models_are_files_of_their_names(self):
        for path in sorted((EXPERIMENTS / "models").glob("*.yaml")):
            tables = [subprocess.run([PROGRAM, "info", "--model", model], capture_output=True, text=True, timeout=60, check=True).stdout
                      for model in (path, path.stem)]  # fmt: skip
            self.assertEqual(*tables)
            self.assertIn(f" {path.stem} ", tables[0].splitlines()[-1])

    def test_names_follow_the_files(self):
        for folder, prefix in FOLDERS.items():
            self.assertTrue(self.files(folder), folder)
            for path in self.files(folder):
                self.assertEqual(self.keys[path]["name"], prefix + path.stem)

    def test_published_cells(self):
        for cell, special in CELLS.items():
            keys = self.file("paper", f"{cell}_adapt")
            model, data = cell.split("_")
            self.assertEqual((keys["model.name"], keys["data.name"]), (model, data))
            self.assertEqual((keys["engine.name"], keys["precision.policy"]), ("emulated", "adapt"))
            self.assertEqual(keys["training.schedule.name"], "reduce_on_plateau")
            self.assertEqual(keys["precision.adapt.strategy"], "adaptive")
            self.assert_numbers(keys, PUBLISHED | special)

    def test_short_cells(self):
        for cell in CELLS:
            model, data = cell.split("_")
            if model not in SHORT_RATES:
                continue
            keys = self.file("short", f"{cell}_adapt")
            self.assertEqual((keys["model.name"], keys["data.name"]), (model, data))
            special = SHORT_SPECIAL.get(cell, {})
            self.assertEqual(keys["training.schedule.name"], special.get("training.schedule.name", "cosine"))
            self.assertEqual(keys["data.augmentation"], "crop_flip")
            self.assert_numbers(keys, SHORT | {"training.learning_rate": SHORT_RATES_UNIT_GRADIENTS.get(cell, SHORT_RATES[model])})
            self.assert_numbers(self.file("short", f"{cell}_float32"), {"training.learning_rate": SHORT_RATES[model]})
            paper = self.file("paper", f"{cell}_adapt")
            changed = {key.rpartition(".")[2] for key in differing(keys, paper) if key.startswith("precision.")}
            # The momentum that only the authors' code tells apart by cell is one for all short cells, as in ablations.
            self.assertLessEqual({"strategy"}, changed, cell)
            self.assertLessEqual(changed, {"strategy", "lookback_momentum"} | {key.rpartition(".")[2] for key in special}, cell)
            self.assertLessEqual(special.items(), keys.items())
            self.assertEqual(self.file("short", f"{cell}_float32")["training.schedule.name"], "cosine")
            self.assert_numbers(keys, {"precision.adapt.lookback_momentum": 0.33})

    def test_float32_cells_have_the_same_recipe(self):
        for folder in ("paper", "short"):
            cells = [path for path in self.files(folder) if path.stem.endswith("_adapt")]
            self.assertTrue(cells)
            for path in cells:
                plain = self.file(folder, path.stem.removesuffix("_adapt") + "_float32")
                same = {"name", "engine.name", "precision.policy"}
                if (folder, plain["model.name"]) == ("short", "alexnet"):
                    same |= {"training.learning_rate"} | (set() if "100" in path.stem else {"training.schedule.name"})
                self.assertEqual(differing(plain, self.keys[path]), same)
                self.assertEqual((plain["engine.name"], plain["precision.policy"]), ("float32", "float32"))

    def test_muppet_cells_have_the_recipe_of_the_others(self):
        # Constant in the levels, then x0.1 twice in the float32 epochs, which end the run: published as 45, every 15.
        phases = {"paper": (45, "[15, 30]"), "short": (6, "[2, 4]")}
        for folder, (final_epochs, milestones) in phases.items():
            for cell in (cell for cell in CELLS if not cell.startswith("lenet5")):
                keys = self.file(folder, f"{cell}_muppet")
                self.assertEqual((keys["engine.name"], keys["precision.policy"]), ("emulated", "muppet"))
                self.assertEqual((keys["precision.formats"], keys["precision.backward"]), ("per_tensor", "quantized"))
                self.assertEqual(keys["precision.muppet.levels"], "[8, 12, 14, 16]")
                self.assertEqual((keys["training.schedule.name"], keys["training.schedule.origin"]),
                                 ("multi_step", "final_phase"))  # fmt: skip
                self.assertEqual(keys["training.schedule.milestones"], milestones)
                self.assert_numbers(keys, {"training.final_epochs": final_epochs, "training.schedule.factor": 0.1})
                changed = differing(keys, self.file(folder, f"{cell}_adapt"))
                self.assertLessEqual({key for key in changed if not key.startswith(("precision.", "training.schedule."))},
                                     {"name", "training.epochs", "training.final_epochs", "training.learning_rate"})  # fmt: skip
                plain = self.file(folder, f"{cell}_float32")
                self.assertEqual(keys["training.learning_rate"], plain["training.learning_rate"])

    def test_an_ablation_changes_one_thing(self):
        for folder, (prefix, cells, seeds) in GRIDS.items():
            grids = sorted(path for path in EXPERIMENTS.rglob("*.yaml") if path.parent.name == folder)
            self.assertEqual(len(grids), 7)
            for path in grids:
                runs = expand(path)
                keys = [run["configuration"] for run in runs]
                self.assertEqual({k["seed"] for k in keys}, set(range(seeds)), path)
                bases = {f"{k['model.name']}_{k['data.name']}_adapt" for k in keys}
                for run, own in zip(runs, keys):
                    self.assertTrue(run["name"].startswith(prefix + path.stem), run["name"])
                    base = json_values(self.file(cells, f"{own['model.name']}_{own['data.name']}_adapt"))
                    changed = differing(own, base) - {"name", "seed"}
                    # Two bounds of one thing, or inputs and outputs, may stand for one.
                    self.assertLessEqual(len(changed), 2, f"{run['name']}: {changed}")
                    self.assertLessEqual(len({key.rpartition(".")[0] for key in changed}), 1, f"{run['name']}: {changed}")
                # Nothing changed is among them: what the others are compared with, and what all grids share.
                plain = [own for own in keys
                         if not differing(own, json_values(self.file(cells, f"{own['model.name']}_{own['data.name']}_adapt")))
                         - {"name", "seed"}]  # fmt: skip
                self.assertEqual(len(plain), seeds * len(bases), path)

    def test_integer_cells_have_one_recipe(self):
        cells = {path.stem.removesuffix("_integer"): keys for path, keys in self.keys.items()
                 if path.match("short/*_integer.yaml")}  # fmt: skip
        self.assertEqual(cells.keys(), {"alexnet_cifar10", "alexnet_cifar100", "resnet20_cifar10", "resnet20_cifar100"})
        for cell, keys in cells.items():
            changed = differing(keys, self.file("short", f"{cell}_float32"))
            self.assertLessEqual({key.partition(".")[0] for key in changed}, {"name", "engine", "exchange", "precision", "training"})
            # One rate and one schedule, and gradients as they are, as in float32.
            self.assertLessEqual({key for key in changed if key.startswith("training.")},
                                 {"training.normalize", "training.learning_rate"}, cell)  # fmt: skip
            self.assertEqual((keys["training.normalize"], keys["training.schedule.name"]), ("no", "cosine"))
            self.assert_numbers(keys, {"training.learning_rate": 0.05})

    def test_ablations_of_the_integer_recipe_change_one_thing_of_it(self):
        runs = [run["configuration"] for run in expand(EXPERIMENTS / "ablations" / "integer" / "learning.yaml")]
        self.assertEqual(len(runs), 2 * 8 * 3)
        for run in runs:
            base = json_values(self.file("short", f"{run['model.name']}_{run['data.name']}_integer"))
            changed = differing(run, base) - {"name", "seed", "data.folds"}
            self.assertLessEqual(len(changed - {"training.learning_rate"}), 1, changed)
            if "training.learning_rate" in changed:  # it is the length of a step where gradients have another one
                self.assertIn("training.normalize", changed)

    def test_the_small_ablations_change_one_thing(self):
        runs = [run["configuration"] for run in expand(EXPERIMENTS / "ablations" / "mnist" / "lenet5.yaml")]
        base = runs[0]
        groups = [{key.rpartition(".")[0] for key in differing(run, base) - {"name", "seed"}} for run in runs]
        # The first of each seed changes nothing; a rate may follow the norm of the gradients, and the way back the formats.
        self.assertEqual(sum(not group for group in groups), 3)
        self.assertTrue(all(len(group) <= 1 for group in groups), groups)
        self.assertEqual(len(runs), 54)

    def test_every_shipped_network_beside_the_papers_trains_in_every_engine(self):
        runs = [run["configuration"] for run in expand(EXPERIMENTS / "ablations" / "models" / "engines.yaml")]
        engines = {}
        for run in runs:
            engines.setdefault(run["model.name"], {})[run["engine.name"]] = run
        self.assertEqual(engines.keys(), {"mobilenet_v2", "vgg11", "resnet18"})
        for of_one in engines.values():
            self.assertEqual(of_one.keys(), {"float32", "bfloat16", "emulated", "integer"})
            # The same bits are expected of these two: nothing else may differ.
            self.assertEqual(differing(of_one["emulated"], of_one["integer"]), {"name", "engine.name"})

    def test_the_campaign_is_the_published_cells_as_they_are(self):
        runs = expand(CAMPAIGN)
        found = {}
        for run in runs:
            own = run["configuration"]
            found[(run["name"].removeprefix("campaign_").rpartition("_seed")[0], own["seed"])] = own
        cells = {(f"{cell}_{policy}", 0) for cell in CELLS for policy in ("float32", "adapt", "muppet")}
        cells -= {("lenet5_mnist_muppet", 0)}
        seeds = {(f"alexnet_{data}_float32", seed) for data in ("cifar10", "cifar100") for seed in (1, 2)}
        self.assertEqual(found.keys(), cells | seeds)
        for (cell, seed), own in found.items():
            published = json_values(self.file("paper", cell)) | {"seed": seed, "name": own["name"]}
            self.assertEqual(differing(own, published), set(), cell)
        # What is short comes first: the hours of ResNet-20 last.
        models = [run["configuration"]["model.name"] for run in runs]
        self.assertEqual(models, sorted(models, key=["lenet5", "alexnet", "resnet20"].index))

    def test_the_identity_is_that_of_the_published_file(self):
        """A store knows a run by its identity: what the campaign has trained need not be trained from the file again."""
        ours = {run["name"]: run["identity"] for run in expand(CAMPAIGN)}
        with tempfile.TemporaryDirectory(prefix="adapt-test-") as folder:
            for cell in ("alexnet_cifar10_muppet", "lenet5_mnist_adapt", "alexnet_cifar100_float32"):
                for seed in (0, 2) if cell.endswith("float32") else (0,):
                    alone = pathlib.Path(folder) / f"{cell}_{seed}.yaml"
                    alone.write_text(f"base: {EXPERIMENTS / 'paper' / cell}.yaml\nseeds: [{seed}]\n", encoding="utf-8")
                    self.assertEqual(expand(alone)[0]["identity"], ours[f"campaign_{cell}_seed{seed}"])

    def test_what_is_printed_is_the_same_experiment(self):
        path = EXPERIMENTS / "paper" / "alexnet_cifar10_adapt.yaml"
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as copy:
            copy.write(self.text[path])
            copy.flush()
            self.assertEqual(check(copy.name), (self.identity[path], self.text[path]))

    def test_a_wrong_file_is_refused(self):
        result = subprocess.run([PROGRAM, "train", "--check", str(EXPERIMENTS / "paper" / "alexnet_cifar10_adapt.yaml"),
                                 "--set", "training.accumulate=0"], capture_output=True, text=True, timeout=60)  # fmt: skip
        self.assertEqual(result.returncode, 2)
        self.assertIn("training.accumulate", result.stderr)
        self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
