"""Wall clocks from repetitions: a training of hours shares its machine, a repetition of two epochs can have it alone."""

import os

CLOCK_FOLDER = "clock"
NOT_THE_SETTING = ("name", "seed", "data.path", "record.", "training.epochs")


def split_clocks(runs):
    """(runs, clocks): the clocks are the logs in a folder named `clock`. They are no results; their wall clocks stand for
    those of the runs with the same settings."""
    runs, clocks = [run for run in runs if not _is_clock(run)], [run for run in runs if _is_clock(run)]
    return runs, clocks


def clock_pair(run, reference, clocks):
    """(run, reference) whose wall clocks stand for the two given: repetitions among `clocks` where both have one, else
    the two themselves."""
    pair = tuple(_repetition(each, clocks) for each in (run, reference))
    return (run, reference) if None in pair else pair


def _is_clock(run):
    """Whether the log, or the run's folder that holds it, lies in such a folder."""
    folders = os.path.realpath(run.path).split(os.sep)[-3:-1]
    return CLOCK_FOLDER in folders


def _repetition(run, clocks):
    """The first of `clocks` with the settings of `run`; None when there is none."""
    return next((clock for clock in clocks if run and _same_settings(clock, run)), None)


def _same_settings(clock, run):
    """Whether all keys that both know are equal (a log may be older than a key), those of other policies left out."""
    policy = run.configuration.get("precision.policy")
    others = tuple(f"precision.{name}." for name in ("fixed", "adapt", "muppet") if name != policy)
    keys = clock.configuration.keys() & run.configuration.keys()
    return all(clock.configuration[key] == run.configuration[key] for key in keys
               if not key.startswith(NOT_THE_SETTING + others))  # fmt: skip
