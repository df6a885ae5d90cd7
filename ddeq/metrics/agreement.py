"""Whether several completions of one cloud are the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ddeq.metrics.transport import between, emd


@dataclass(frozen=True)
class Agreement:
    """How far apart the points are that several runs have put into one gap.

    Attributes:
        distances: ``(R, R)``, the earth mover's distance between each two runs' free points.
        spacing: mean distance of a known point from its nearest neighbour, in the same units.
    """

    distances: np.ndarray
    spacing: float

    @property
    def one(self) -> bool:
        """Whether all runs filled in the same shape.

        Two samples of one shape differ by about the distance between neighbouring points, so
        twice that much still counts as the same.
        """
        return bool(self.distances.max() <= 2 * self.spacing)


def compare(known: np.ndarray, filled: Sequence[np.ndarray]) -> Agreement:
    """Compare what R runs filled in, ``(N_r, d)`` each, beside the same known points ``(K, d)``."""
    nearest = np.asarray(cKDTree(known).query(known, k=2)[0])[:, 1]  # (K,)
    return Agreement(between(filled, emd), float(nearest.mean()))
