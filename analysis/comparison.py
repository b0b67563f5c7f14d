"""Which runs may stand beside each other, and what their wall clocks say: measured ratios."""

import numpy as np

FLOAT_POLICY = "float32"
RECIPE_SECTIONS = ("model.", "data.", "training.")
# Where the data lies, how fast it is worked through, and what only AdaPT has.
NOT_RECIPE = ("data.path", "training.threads", "training.test_batch", "training.normalize", "training.penalty")
# Runs that differ in one of these learn something else, or for another time.
SAME_RECIPE = ("training.epochs", "training.batch", "data.augmentation")


def policy_of(run):
    """Name of the precision policy, "?" when the configuration does not say."""
    return run.configuration.get("precision.policy", "?")


def task_of(run):
    """What is learned: model and data. Accuracies of runs with the same task can be compared."""
    names = ("model.name", "data.name", "data.train_samples", "data.test_samples")
    return tuple(run.configuration.get(name) for name in names)


def cell_of(run):
    """(model, dataset) as the paper's tables name them."""
    return tuple(run.configuration.get(name, "?") for name in ("model.name", "data.name"))


def recipe_of(run):
    """{key: value} of what trains a network besides precision, seed and machine."""
    recipe = {}
    for key, value in run.configuration.items():
        if key.startswith(RECIPE_SECTIONS) and key not in NOT_RECIPE:
            recipe[key] = value
    return recipe


def recipe_differences(run, reference):
    """The keys of recipe_of in which two runs differ, sorted."""
    recipes = recipe_of(run), recipe_of(reference)
    return sorted(key for key in recipes[0].keys() | recipes[1].keys() if recipes[0].get(key) != recipes[1].get(key))


def ranks_of(run):
    """Number of MPI ranks as text, "?" when the provenance does not say."""
    return run.provenance.get("ranks", "?")


def setting_of(run):
    """What wall clocks depend on besides precision. Times of runs with the same setting can be compared."""
    recipe = (run.configuration.get("training.batch"), run.configuration.get("training.threads"))
    return task_of(run) + recipe + (ranks_of(run), run.provenance.get("host"), run.provenance.get("cpu_model"))


def float_reference(run, runs, key):
    """The float32 run among `runs` with the same `key` (task_of or setting_of): the one with the same seed if there is
    one, else the first. None when there is none."""
    candidates = [other for other in runs if policy_of(other) == FLOAT_POLICY and key(other) == key(run)]
    if run in candidates:
        return run
    same_seed = [other for other in candidates if other.configuration.get("seed") == run.configuration.get("seed")]
    return next(iter(same_seed + candidates), None)


def paired_reference(run, runs):
    """The float32 run among `runs` to compare accuracies with: same task, epochs, batch and augmentation; of several
    the one whose recipe differs in the fewest keys, then the one with the same seed, then one whose wall clock can be
    compared. None when there is none."""
    key = _pairing_key(run)
    candidates = [other for other in runs if policy_of(other) == FLOAT_POLICY and _pairing_key(other) == key]

    def distance(other):
        other_seed = other.configuration.get("seed") != run.configuration.get("seed")
        return len(recipe_differences(run, other)), other_seed, setting_of(other) != setting_of(run)

    return min(candidates, key=distance, default=None)


def measured_speedup(run, reference, column):
    """Ratio of the medians over the epochs of `column` ("seconds": training, "test_seconds": evaluation), reference
    over run. None without a reference or without times."""
    if reference is None:
        return None
    medians = [_median_seconds(other, column) for other in (reference, run)]
    return medians[0] / medians[1] if all(medians) else None


def wall_seconds(run):
    """Training and evaluation, all epochs, seconds."""
    return float(sum(np.sum(run.epochs[name]) for name in ("seconds", "test_seconds") if name in run.epochs))


def _median_seconds(run, column):
    """None without a positive median."""
    if column not in run.epochs or not len(run.epochs[column]):
        return None
    median = float(np.median(run.epochs[column]))
    return median if median > 0 else None


def _pairing_key(run):
    return task_of(run) + tuple(run.configuration.get(name) for name in SAME_RECIPE)
