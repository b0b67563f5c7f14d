"""What the paper's tables say of each cell (model × dataset), published beside ours."""

import dataclasses

from analysis.authors_model import authors_iso_accuracy_speedup
from analysis.clocks import clock_pair
from analysis.comparison import (
    FLOAT_POLICY,
    cell_of,
    measured_speedup,
    paired_reference,
    policy_of,
    recipe_differences,
    recipe_of,
    setting_of,
)
from analysis.cost_model import figures_by_authors, final_density, iso_accuracy_speedup, run_figures
from analysis.packed import packed_beside, share_of_float32
from analysis.published import AVERAGED_CELLS, published_averages, published_cells

PUBLISHED, MODELLED, MEASURED = "published", "ours, modelled", "ours, measured"
BY_AUTHORS = "ours, modelled by the authors' formulas"
OURS = "ours"
EPOCHS = "muppet_epochs_"
LEVELS = ("8", "12", "14", "16", "float32")  # MuPPET's word lengths
NOT_SETTINGS = ("name", "seed", "data.path", "record.")  # runs that differ in these only are repetitions


@dataclasses.dataclass
class Row:
    """One line of a table. `values`: (quantity, kind) -> number or None."""

    model: str
    dataset: str
    runs: list  # of analysis.run_file.Run; several where only the seed differs
    values: dict

    @property
    def run_names(self):
        """Names of the runs; None without runs."""
        return ", ".join(run.name for run in self.runs) or None


def adapt_rows(runs, published, clocks=()):
    """One Row per AdaPT setting, float32 setting that none is compared with, and published cell without runs; published
    cells first, in the paper's order. `clocks` as in analysis.clocks."""
    groups = repetitions([run for run in runs if policy_of(run) == "adapt"])
    paired = {id(paired_reference(run, runs)) for group in groups for run in group}
    groups += repetitions([run for run in runs if policy_of(run) == FLOAT_POLICY and id(run) not in paired])
    cells = {cell: {quantity: value for quantity, value in figures.items() if not quantity.startswith(EPOCHS)}
             for cell, figures in published_cells(published).items()}
    return _with_published(groups, (runs, clocks), cells, "accuracy_adapt")


def muppet_rows(runs, published, clocks=()):
    """The same for MuPPET, with the epochs that it spent in each level."""
    groups = repetitions([run for run in runs if policy_of(run) == "muppet"])
    cells = {cell: figures for cell, figures in published_cells(published).items()
             if any(quantity.startswith(EPOCHS) for quantity in figures)}
    rows = _with_published(groups, (runs, clocks), cells, "accuracy_muppet")
    for row in rows:
        epochs = [level_epochs(run) for run in row.runs]
        for level in LEVELS:
            row.values[EPOCHS + level, OURS] = _mean([each.get(level, 0) for each in epochs])
    return rows


def average_rows(rows, published):
    """One Row per source of published averages; ours, the mean over those of `rows` that belong to the cells which the
    paper averages over and have its setting (one format per layer), beside the first."""
    averaged = [row for row in rows if (row.model, row.dataset) in AVERAGED_CELLS and not _has_own_scales(row)]
    with_runs = [row for row in averaged if ("accuracy_adapt", OURS) in row.values]
    averages = []
    for place, (source, figures) in enumerate(published_averages(published).items()):
        values = {(quantity, PUBLISHED): value for quantity, value in figures.items()}
        label = f"average, {source}"
        if place == 0:
            label += f"; ours over {len(with_runs)} rows"
            for key in dict.fromkeys(key for row in with_runs for key in row.values if key[1] != PUBLISHED):
                known = [row.values[key] for row in with_runs if row.values.get(key) is not None]
                values[key] = _mean(known)
        averages.append(Row(label, "", [], values))
    return averages


def _has_own_scales(row):
    return any(run.configuration.get("precision.formats") == "per_tensor" for run in row.runs)


def repetitions(runs):
    """Lists of runs that differ in their seeds only."""
    groups = {}
    for run in runs:
        setting = tuple(sorted(item for item in run.configuration.items() if not item[0].startswith(NOT_SETTINGS)))
        groups.setdefault(setting, []).append(run)
    return list(groups.values())


def pairing_notes(rows, runs):
    """One sentence per run: the float32 run that it is compared with, and what besides precision differs."""
    notes = []
    for run in (run for row in rows for run in row.runs if policy_of(run) != FLOAT_POLICY):
        reference = paired_reference(run, runs)
        if reference is None:
            notes.append(f"{run.name}: no float32 run of the same model, data, epochs, batch and augmentation.")
            continue
        keys = recipe_differences(run, reference)
        differing = ", ".join(f"{key} {recipe_of(run).get(key)} / {recipe_of(reference).get(key)}" for key in keys)
        recipe = f"recipes differ in {differing}" if keys else "same recipe"
        clock = "same host, ranks and batch" if setting_of(run) == setting_of(reference) else (
            "wall clocks not comparable (host, ranks, threads or batch differ)")
        notes.append(f"{run.name}: compared with {reference.name} ({recipe}; {clock}).")
    return notes


def level_epochs(run):
    """{level: epochs} of a run with one word length for the whole network, rounded to whole epochs; a level is a word
    length as text, or "float32". Empty when nothing is logged yet."""
    layer = next((layer for layer in run.layers if len(layer.series["step"])), None)
    if layer is None or not len(run.epochs["epoch"]):
        return {}
    steps = layer.series["step"]
    steps_per_epoch = run.steps["step"][-1] / run.epochs["epoch"][-1]
    counts, before = {}, 0
    for step, word_length, is_float32 in zip(steps, layer.series["word_length"], layer.is_float32):
        level = "float32" if is_float32 else str(word_length)
        counts[level] = counts.get(level, 0) + (step - before)
        before = step
    return {level: round(count / steps_per_epoch) for level, count in counts.items()}


def _with_published(groups, known, cells, accuracy):
    """Rows of `groups` (lists of runs) and of the published `cells`: {(model, dataset): {quantity: value}}, the latter
    first. `known`: (all runs, clocks)."""
    order = {cell: [] for cell in cells}
    for group in groups:
        order.setdefault(cell_of(group[0]), []).append(group)
    rows = []
    for (model, dataset), members in order.items():
        for group in members or [[]]:
            figures = cells.get((model, dataset), {})
            values = {(quantity, PUBLISHED): value for quantity, value in figures.items()}
            rows.append(Row(model, dataset, group, values | _mean_values(group, known, accuracy)))
    return rows


def _mean_values(group, known, accuracy):
    """Means over the runs of a group; None for a quantity that one of them lacks."""
    of_runs = [_values(run, *known, accuracy) for run in group]
    return {key: _mean([values[key] for values in of_runs]) for key in (of_runs[0] if of_runs else ())}


def _values(run, runs, clocks, accuracy):
    """{(quantity, kind): value} of one run; `accuracy` names the quantity of a run that is not float32."""
    if policy_of(run) == FLOAT_POLICY:
        return {("accuracy_float32", OURS): _best_percent(run)}
    reference = paired_reference(run, runs)
    figures = run_figures(run)
    best, best_reference = _best_percent(run), _best_percent(reference)
    timed, clock = clock_pair(run, reference, clocks)
    clock = clock if clock and setting_of(clock) == setting_of(timed) else None
    return {
        ("accuracy_float32", OURS): best_reference,
        (accuracy, OURS): best,
        ("accuracy_difference", OURS): None if None in (best, best_reference) else best - best_reference,
        ("training_speedup", MODELLED): figures and figures.training_speedup,
        ("training_speedup", MEASURED): measured_speedup(timed, clock, "seconds"),
        ("iso_accuracy_training_speedup", MODELLED): None if None in (figures, best_reference) else
        iso_accuracy_speedup(figures.training_speedup, run.epochs["test_accuracy"], best_reference / 100),
        ("inference_speedup", MODELLED): figures and figures.inference_speedup,
        ("inference_speedup", MEASURED): measured_speedup(timed, clock, "test_seconds"),
        ("model_size", MODELLED): figures and figures.model_size,
        ("file_size", MEASURED): _file_size(run),
        ("average_word_length", OURS): figures and figures.mean_word_length,
        ("density", OURS): final_density(run.layers),
    } | _values_by_authors(run, best_reference)


def _values_by_authors(run, best_reference):
    """{(quantity, BY_AUTHORS): value} of one run; `best_reference`: percent, None without a float32 run."""
    figures = figures_by_authors(run)
    iso_accuracy = None if None in (figures, best_reference) else authors_iso_accuracy_speedup(
        figures.training_speedup, run.epochs["test_accuracy"], best_reference / 100)
    return {
        ("training_speedup", BY_AUTHORS): figures and figures.training_speedup,
        ("iso_accuracy_training_speedup", BY_AUTHORS): iso_accuracy,
        ("inference_speedup", BY_AUTHORS): figures and figures.inference_speedup,
        ("model_size", BY_AUTHORS): figures and figures.model_size,
    }


def _file_size(run):
    """That of the packed model beside the run's log, as a share of float32; None where there is none."""
    packed = packed_beside(run.path)
    return None if packed is None else share_of_float32(packed)


def _best_percent(run):
    """Highest test accuracy over the epochs, percent."""
    return 100 * float(max(run.epochs["test_accuracy"])) if run and len(run.epochs["test_accuracy"]) else None


def _mean(values):
    """None for no values or when one of them is None."""
    return None if not values or None in values else sum(values) / len(values)
