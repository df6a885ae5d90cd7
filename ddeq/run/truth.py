"""How far a completion is from the truth, step by step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ddeq.input.hollow import Hollow
from ddeq.input.preprocess import standardise
from ddeq.metrics.distances import chamfer, coverage, energy_distance, f_score, f_score_radius
from ddeq.metrics.transport import emd

COVERAGE_RADIUS = 0.25  # in units of the standardised truth: about a pixel of a digit
_MAX_COMPARED = 400  # points of a cloud: an EMD costs the cube

TRUTH_COLUMNS = ("mmd2", "chamfer", "emd", "f_score", "coverage")
"""The numbers of a frame that compare it to the truth."""


def comparison(
    hollow: Hollow, free: int, isotropic: bool
) -> Callable[[np.ndarray], dict[str, float]]:
    """Compares free points, in the cloud's own units, to the truth: :data:`TRUTH_COLUMNS`.

    Of clouds too large for that, the same share of known, removed and free points is drawn, but
    for the F-score, which is cheap.
    """
    unit = standardise(hollow.truth, isotropic)
    radius = f_score_radius(hollow.truth)
    rng = np.random.default_rng(0)
    largest = max(len(hollow.truth), len(hollow.known) + free)

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
            "emd": emd(completed, truth),
            "f_score": f_score(everything, hollow.truth, radius),
            "coverage": coverage(removed, points, COVERAGE_RADIUS),
        }

    return compare
