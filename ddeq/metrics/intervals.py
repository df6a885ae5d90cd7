"""95 % intervals of means and proportions."""

from __future__ import annotations

import math

import numpy as np

_RESAMPLES, _AT_ONCE = 2000, 100  # of a bootstrap, and how many are drawn together


def wilson_interval(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % score interval of a proportion.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    p = correct / total
    middle = p + z * z / (2 * total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return (middle - half) / scale, (middle + half) / scale


def mean_interval(values: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ``values (n,)``, by percentiles; always the same one.

    With ``groups (n,)`` whole groups of values are drawn, as several samplings of one object are
    not several objects.

    Source: Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13; of groups,
    Field and Welsh 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x.
    """
    rng = np.random.default_rng(0)
    _, group = np.unique(np.arange(len(values)) if groups is None else groups, return_inverse=True)
    sums, counts = np.bincount(group, values), np.bincount(group)  # (G,)
    means = []
    for _ in range(_RESAMPLES // _AT_ONCE):
        drawn = rng.integers(len(sums), size=(_AT_ONCE, len(sums)))
        means.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
