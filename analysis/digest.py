"""The small part of run.h5 that hundreds of runs are compared by, read quickly: no step, no layer, no weight."""

import dataclasses
import json
import os
from concurrent.futures import ThreadPoolExecutor

import h5py

from analysis.errors import BadInput, complain
from analysis.files import SMALL_FILE, read_bytes
from analysis.hdf5_columns import Damage, attribute, columns, member, read_configuration, text_of
from analysis.hdf5_file import INTACT, opened, path_of_run
from analysis.isolate import call_isolated
from analysis.run_file import (
    READ_SECONDS,
    STRIPPED,
    Layer,
    attributes_of,
    call_for_file,
    check_epochs,
    check_format,
    read_summary,
    name_own_data,
    run_name,
)

FILES_PER_PROCESS = 20
STATES = DONE, FAILED, PRUNED, UNFINISHED = "done", "failed", "pruned", "unfinished"


@dataclasses.dataclass
class Digest:
    """One run: its settings and results, without its course. The names are those of analysis.run_file.Run."""

    path: str  # of run.h5
    name: str
    state: str  # one of STATES
    configuration: dict  # flat: "training.batch" -> "256"
    provenance: dict  # name -> text
    epochs: dict  # column name -> array
    last_step: int  # 0 before the first one
    summary: dict  # name -> float
    layers: list = dataclasses.field(default_factory=list)  # of Layer, only with step and word_length, where asked for

    @property
    def done(self):
        """Whether the run is complete."""
        return self.state == DONE


def read_digests(paths, layers=False):
    """(digests in the order of `paths`, list of problems as one line each). A run that cannot be used is a problem and no
    digest. `layers`: with the word lengths of the layers. Several processes read at once."""
    groups = [paths[start : start + FILES_PER_PROCESS] for start in range(0, len(paths), FILES_PER_PROCESS)]
    with ThreadPoolExecutor(max_workers=min(8, len(os.sched_getaffinity(0)))) as pool:
        answers = [answer for group in pool.map(lambda group: _read_group(group, layers), groups) for answer in group]
    digests = [answer for answer in answers if isinstance(answer, Digest)]
    return digests, [answer for answer in answers if not isinstance(answer, Digest)]


def usable_digests(paths, read=read_digests):
    """The digests of `paths`, which `read` reads; a warning on stderr for each run that cannot be used; BadInput when none
    can."""
    digests, problems = read(paths)
    if not digests and problems:
        raise BadInput(problems[0] if len(problems) == 1 else f"none of {len(problems)} runs can be used: {problems[0]}")
    for problem in problems:
        complain("warning", f"left out: {problem}")
    return digests


def _read_group(paths, layers):
    """A Digest or a problem for each path. A file that the HDF5 library cannot survive ends the process that reads the
    group; then each file gets a process of its own."""
    try:
        return call_isolated(_read_all, (paths, layers), READ_SECONDS * len(paths))
    except RuntimeError:
        return [_read_alone(path, layers) for path in paths]


def _read_alone(path, layers):
    try:
        return call_for_file(_read_all, ([path], layers), path)[0]
    except BadInput as problem:
        return str(problem)


def _read_all(argument):
    paths, layers = argument
    return [_read_or_problem(path, layers) for path in paths]


def _read_or_problem(path, layers):
    try:
        file_path = path_of_run(path)
        try:
            with opened(file_path) as (file, done):
                return _read_root(file, file_path, done, layers)
        except (Damage, OSError, KeyError) as damage:
            raise BadInput(f"{file_path}: damaged: {damage}; {INTACT}") from None
    except BadInput as problem:
        return str(problem)


def _read_root(file, file_path, done, layers):
    check_format(file, file_path)
    _, configuration = read_configuration(file)
    epochs = columns(member(file, "epochs", h5py.Group))
    check_epochs(epochs)
    step = member(member(file, "steps", h5py.Group), "step", h5py.Dataset)
    folder = os.path.dirname(os.path.abspath(file_path))
    provenance = {name: text_of(value) for name, value in attributes_of(file, "provenance").items()}
    name_own_data(configuration, provenance)
    return Digest(
        path=file_path,
        name=run_name(file_path, folder),
        state=DONE if done or STRIPPED in file.attrs else state_unless_done(folder),
        configuration=configuration,
        provenance=provenance,
        epochs=epochs,
        last_step=int(step[-1]) if step.shape[0] else 0,
        summary=read_summary(file),
        layers=_word_lengths(member(file, "layers", h5py.Group)) if layers else [],
    )


def _word_lengths(group):
    """The layers in the model's order, with the columns that tell their word lengths."""
    members = [(member(group, name, h5py.Group), name) for name in group]
    return [_layer(*pair) for pair in sorted(members, key=lambda pair: pair[0].attrs.get("index", 0))]


def _layer(group, name):
    series = {column: member(group, column, h5py.Dataset)[()] for column in ("step", "word_length")}
    if len({len(values) for values in series.values()}) > 1:
        raise Damage(f"columns of {group.name} differ in length")
    return Layer(name, attribute(group, "madds", int), attribute(group, "parameters", int), series)


def state_unless_done(folder):
    """FAILED, PRUNED or UNFINISHED, as the files in a run's folder say."""
    if os.path.exists(os.path.join(folder, "FAILED")):
        return FAILED
    return PRUNED if _waits_at_a_rung(folder) else UNFINISHED


def _waits_at_a_rung(folder):
    """Whether `adapt sweep` has stopped the run where others were better (its file `rungs`)."""
    path = os.path.join(folder, "rungs")
    if not os.path.exists(path):
        return False
    try:
        return json.loads(read_bytes(path, SMALL_FILE)).get("stopped") is True
    except (BadInput, OSError, ValueError, AttributeError, RecursionError):
        return False


def failure_of(folder):
    """The reason in the file FAILED of a run's folder, as one line; "" when it says none."""
    try:
        failure = json.loads(read_bytes(os.path.join(folder, "FAILED"), SMALL_FILE))
        return " ".join(f"exit code {failure['exit_code']}: {failure.get('message', '')}".split())
    except BadInput as problem:
        return str(problem)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
