"""Is a difference of two means more than the scatter over seeds? Student's t test, paired where seeds allow, else Welch's."""

import math


def paired_p_value(first, second):
    """Two-sided p of "the mean of the differences first[i] - second[i] is 0". None for fewer than two pairs, and where
    all differences are the same but not 0: they then say nothing about scatter."""
    differences = [a - b for a, b in zip(first, second, strict=True)]
    if len(differences) < 2:
        return None
    return _p_value(mean(differences), deviation(differences) ** 2 / len(differences), len(differences) - 1)


def welch_p_value(first, second):
    """Two-sided p of "both means are the same", variances free. None where a side has fewer than two values, and where
    neither scatters but the means differ. Welch, Biometrika 34 (1947)."""
    if min(len(first), len(second)) < 2:
        return None
    parts = [deviation(values) ** 2 / len(values) for values in (first, second)]
    weights = [part**2 / (len(values) - 1) for part, values in zip(parts, (first, second))]
    freedom = sum(parts) ** 2 / sum(weights) if sum(weights) > 0 else 1.0
    return _p_value(mean(first) - mean(second), sum(parts), freedom)


def holm(p_values):
    """p values adjusted for as many tests as there are (Holm, Scand. J. Statist. 6 (1979)), in the same order; None
    stays None and is no test."""
    order = sorted((index for index, p in enumerate(p_values) if p is not None), key=lambda index: p_values[index])
    adjusted, highest = list(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def mean(values):
    """Arithmetic mean."""
    return math.fsum(values) / len(values)


def deviation(values):
    """Standard deviation of a sample (divisor n - 1) of at least two values."""
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def student_p_value(t, freedom):
    """P(|T| >= |t|) for Student's distribution with `freedom` degrees of freedom (DLMF 8.17)."""
    from scipy.special import betainc  # slow to import: only rankings with seeds pay for it

    return float(betainc(freedom / 2, 0.5, freedom / (freedom + t * t)))


def _p_value(difference, variance, freedom):
    """p of `difference`, whose estimate has `variance`."""
    if variance > 0:
        return student_p_value(difference / math.sqrt(variance), freedom)
    return 1.0 if difference == 0 else None
