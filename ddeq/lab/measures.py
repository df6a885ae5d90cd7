"""How far apart several runs end, and which of them end at the same equilibrium."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

SAME = 0.75
"""Two measures no further apart than this share of their spread count as one equilibrium. A cloud
that has collapsed to its centre is once its spread away; ten particles find a measure only roughly.
"""
COLLAPSED = 0.05
"""A cloud whose spread is at most this share of where it began has collapsed to one point."""


def embed(distances: np.ndarray, axes: int = 2) -> np.ndarray:
    """Points ``(R, axes)`` whose distances come near those given ``(R, R)``; signs are fixed.

    Classical multidimensional scaling, exact where the distances are those of so many axes.

    Source: Torgerson 1952, https://doi.org/10.1007/BF02288916.
    """
    count = len(distances)
    centring = np.eye(count) - 1 / count
    inner = -0.5 * centring @ distances**2 @ centring  # (R, R)
    values, vectors = np.linalg.eigh(inner)  # ascending
    values, vectors = values[::-1][:axes], vectors[:, ::-1][:, :axes]
    points = vectors * np.sqrt(values.clip(0))
    points = np.pad(points, [(0, 0), (0, axes - points.shape[1])])
    largest = np.abs(points).argmax(0)  # (axes,)
    return points * np.where(points[largest, range(axes)] < 0, -1, 1)


@dataclass(frozen=True)
class Groups:
    """Which of R runs end at the same equilibrium.

    Attributes:
        labels: ``(R,)`` int, the group of each run; 0 is the largest of those that did not
            collapse, -1 stands for runs that ended nowhere.
        collapsed: ``(R,)`` bool.
    """

    labels: np.ndarray
    collapsed: np.ndarray

    @property
    def count(self) -> int:
        return int(self.labels.max(initial=-1)) + 1


def grouped(
    distances: np.ndarray, spreads: np.ndarray, starts: np.ndarray, same: float = SAME
) -> Groups:
    """Runs that end close together, or that others between them connect, are one group.

    Args:
        distances: ``(R, R)``, see :func:`ddeq.metrics.transport.between`; nan for runs that
            ended nowhere.
        spreads: ``(R,)``, see :func:`ddeq.metrics.particles.spread`, at the end.
        starts: ``(R,)``, likewise, at the start.
        same: how close is close, see :data:`SAME`.
    """
    collapsed = spreads <= COLLAPSED * starts
    # Collapsed clouds have no spread to compare with.
    scale = np.maximum(spreads, COLLAPSED * starts)
    near = distances <= same * np.maximum(scale[:, None], scale[None, :])  # False for nan
    _, found = connected_components(near, directed=False)
    found = np.where(np.isfinite(np.diag(distances)), found, -1)
    names = [name for name in np.unique(found) if name >= 0]
    # Whole clouds first, then by size, then as they come.
    names.sort(key=lambda name: (collapsed[found == name].any(), -(found == name).sum()))
    new = {name: k for k, name in enumerate(names)} | {-1: -1}
    return Groups(np.array([new[name] for name in found], int), collapsed)
