"""95 % intervals of means and proportions."""

from __future__ import annotations

import numpy as np

_RESAMPLES, _AT_ONCE = 2000, 100  # of a bootstrap, and how many are drawn together


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """95 % score interval of a proportion, by SciPy.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    from scipy.stats import binomtest  # slow to import, and few need it

    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def mean_interval(values: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ``values (n,)``, by percentiles; always the same one.

    With ``groups (n,)`` whole groups of values are drawn, as several samplings of one object are
    not several objects.

    Source: Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13; of groups,
    Field and Welsh 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x.
    """
    from scipy.stats import bootstrap  # slow to import, and few need it

    _, group = np.unique(np.arange(len(values)) if groups is None else groups, return_inverse=True)
    sums, counts = np.bincount(group, values), np.bincount(group)  # (G,)

    def mean(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        return sums[drawn].sum(axis) / counts[drawn].sum(axis)

    everything = np.arange(len(sums))
    if len(sums) == 1:  # SciPy asks for two at least
        return float(mean(everything)), float(mean(everything))
    interval = bootstrap(
        (everything,),
        mean,
        n_resamples=_RESAMPLES,
        batch=_AT_ONCE,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def crossed_interval(values: np.ndarray, less: np.ndarray | None = None) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ``values (T, K)``: rows and columns are drawn anew.

    Rows are such as trainings, columns the cases they are tried on. Of ``T`` rows ``T - 1`` are
    drawn, without which so few would seem to differ too little; a single row is kept as it is, so
    the interval says nothing of other rows then.

    Args:
        values: of ``T`` trainings, each on the same ``K`` cases.
        less: ``(T', K)`` of another method on the same cases, to be subtracted: the interval is
            that of the difference of means, cases paired, rows not.

    Source: Owen 2007, "The pigeonhole bootstrap", https://doi.org/10.1214/07-AOAS122; one row fewer
    as in Rao and Wu 1988, https://doi.org/10.1080/01621459.1988.10478591.
    """
    rng = np.random.default_rng(0)
    means = []
    for _ in range(_RESAMPLES // _AT_ONCE):
        drawn = rng.integers(values.shape[1], size=(_AT_ONCE, values.shape[1]))
        cases = _rows_drawn(values, rng)  # (_AT_ONCE, K)
        if less is not None:
            cases = cases - _rows_drawn(less, rng)
        means.append(np.take_along_axis(cases, drawn, axis=1).mean(1))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _rows_drawn(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Means over rows of ``values (T, K)`` that are drawn anew each time, ``(_AT_ONCE, K)``."""
    rows = len(values)
    drawn = rng.integers(rows, size=(_AT_ONCE, max(1, rows - 1)))
    weights = np.stack([np.bincount(one, minlength=rows) for one in drawn]) / drawn.shape[1]
    return weights @ values
