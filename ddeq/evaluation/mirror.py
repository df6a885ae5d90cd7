"""Completion without learning: mirror what is known in the vertical plane that fits it best."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ddeq.evaluation.cases import Case
from ddeq.evaluation.neighbours import drawn
from ddeq.evaluation.object_neighbours import RADIUS

_ANGLES = np.deg2rad(np.arange(0, 180, 7.5))  # of a plane's normal, about z
_OFFSETS = np.linspace(-0.6, 0.6, 13)  # of the plane from the centre of the box, in standard units
_PROBES = 128
_KEPT = 0.7  # of the probes: the mirror image of the others may be what is missing


def mirror(case: Case) -> np.ndarray:
    """``(N, 3)`` points: known ones mirrored, of those that come to lie where none is known.

    Of planes through many places near the centre, the one whose mirror images of known points lie
    nearest to known points is taken; the worst of them do not count, as they may be missing.
    """
    rng = np.random.default_rng(case.number)
    known, tree = case.known, cKDTree(case.known)
    centre = (known.min(0) + known.max(0)) / 2
    probes = known[rng.permutation(len(known))[:_PROBES]]
    fits = []
    for angle in _ANGLES:
        normal = np.array([np.cos(angle), np.sin(angle), 0.0])
        for offset in _OFFSETS:
            images = _mirrored(probes, normal, centre @ normal + offset)
            away = np.sort(np.asarray(tree.query(images)[0]))
            fits.append((away[: max(1, round(_KEPT * len(away)))].mean(), angle, offset))
    _, angle, offset = min(fits)
    normal = np.array([np.cos(angle), np.sin(angle), 0.0])
    images = _mirrored(known, normal, centre @ normal + offset)
    away = np.asarray(tree.query(images)[0])
    new = images[away > RADIUS]
    return drawn(new if len(new) else images[away.argsort()[-case.free :]], case.free, rng)


def _mirrored(points: np.ndarray, normal: np.ndarray, offset: float) -> np.ndarray:
    """Points ``(M, 3)`` mirrored in the plane ``normal . x = offset``."""
    return points - 2 * (points @ normal - offset)[:, None] * normal
