"""How far a completion is from the truth, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from ddeq.input.hollow import Hollow
from ddeq.input.preprocess import standardise
from ddeq.metrics.distances import (
    chamfer,
    chamfer_squared,
    coverage,
    energy_distance,
    f_score,
    f_score_radius,
)
from ddeq.metrics.transport import emd

COVERAGE_RADIUS = 0.25  # in units of the standardised truth: about a pixel of a digit
_MAX_COMPARED = 400  # points of a cloud: an EMD costs the cube


@dataclass(frozen=True, kw_only=True)
class AgainstTruth:
    """How far a completion is from the truth; None without a truth, nan once diverged.

    Attributes:
        mmd2, chamfer, chamfer_squared, emd: of the completed cloud to the truth, see
            :mod:`ddeq.metrics`, in units of the standardised truth; clouds of more than 400 points
            are thinned for them.
        f_score: of all completed points against the whole truth, at 1 % of its longest side, see
            :func:`ddeq.metrics.distances.f_score`.
        coverage: share of the removed points that have a free particle within 0.25 of the same
            units.
    """

    mmd2: float | None
    chamfer: float | None
    chamfer_squared: float | None
    emd: float | None
    f_score: float | None
    coverage: float | None


TRUTH_COLUMNS = tuple(field.name for field in fields(AgainstTruth))


def comparison(
    hollow: Hollow, free: int, isotropic: bool
) -> Callable[[np.ndarray], dict[str, float]]:
    """Compares free points, in the cloud's own units, to the truth: :data:`TRUTH_COLUMNS`.

    Of clouds too large for that, the same share of known, removed and free points is drawn, but
    for the F-score, which is cheap.

    Raises:
        ValueError: the truth is not known.
    """
    if hollow.truth is None or hollow.removed is None:
        raise ValueError("there is no truth to compare to")
    whole = hollow.truth
    unit = standardise(whole, isotropic)
    radius = f_score_radius(whole)
    rng = np.random.default_rng(0)
    largest = max(len(whole), len(hollow.known) + free)

    def draw(count: int) -> np.ndarray:
        if largest <= _MAX_COMPARED:
            return np.arange(count)
        return rng.choice(count, max(1, count * _MAX_COMPARED // largest), replace=False)

    known = unit.apply(hollow.known[draw(len(hollow.known))])
    removed = unit.apply(hollow.removed[draw(len(hollow.removed))])
    truth, drawn = np.concatenate([known, removed]), draw(free)

    def compare(points: np.ndarray) -> dict[str, float]:
        if not np.isfinite(points).all():
            return dict.fromkeys(TRUTH_COLUMNS, float("nan"))
        everything = np.concatenate([hollow.known, points])
        points = unit.apply(points[drawn])
        completed = np.concatenate([known, points])
        return {
            "mmd2": energy_distance(completed, truth),
            "chamfer": chamfer(completed, truth),
            "chamfer_squared": chamfer_squared(completed, truth),
            "emd": emd(completed, truth),
            "f_score": f_score(everything, whole, radius),
            "coverage": coverage(removed, points, COVERAGE_RADIUS),
        }

    return compare
