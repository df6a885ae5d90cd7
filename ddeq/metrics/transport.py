"""Optimal transport between clouds, exactly, by linear programming (POT).

Clouds are uniform measures, so they may differ in size; time grows with the cube of the sizes.

Source: Peyre and Cuturi 2019, https://arxiv.org/abs/1803.00567, chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.spatial.distance import cdist

_ITERATIONS = 1_000_000


@dataclass(frozen=True, eq=False)
class Transport:
    """The cheapest way to carry one cloud onto another, by squared distances.

    Attributes:
        plan: ``(N, M)``, how much mass goes from point ``n`` to point ``m``; rows sum to ``1/N``,
            columns to ``1/M``.
        distance: Wasserstein-2, in the units of the points.
    """

    plan: np.ndarray
    distance: float


def transport(a: np.ndarray, b: np.ndarray) -> Transport:
    """The optimal plan from ``a (N, d)`` to ``b (M, d)``."""
    import ot  # slow to import, and few runs need it

    cost = cdist(a, b, "sqeuclidean")  # (N, M)
    plan = ot.emd([], [], cost, numItermax=_ITERATIONS)
    return Transport(plan, float(np.sqrt((plan * cost).sum())))


def w2(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-2 distance of ``a (N, d)`` and ``b (M, d)``; nan if a point is not a number."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    return transport(a, b).distance


def emd(a: np.ndarray, b: np.ndarray) -> float:
    """Earth mover's distance (Wasserstein-1) of clouds ``a (N, d)`` and ``b (M, d)``.

    The least mean distance over which ``a`` is carried to ``b``, in the units of the points.
    """
    import ot

    return float(ot.emd2([], [], cdist(a, b), numItermax=_ITERATIONS))


def between(
    clouds: Sequence[np.ndarray], distance: Callable[[np.ndarray, np.ndarray], float] = w2
) -> np.ndarray:
    """The distance of each two of R clouds ``(N_r, d)``: ``(R, R)``.

    On the diagonal a cloud with a point that is not a number has nan, all others 0.
    """
    found = np.diag([0.0 if np.isfinite(cloud).all() else np.nan for cloud in clouds])
    for i, j in combinations(range(len(clouds)), 2):
        found[i, j] = found[j, i] = distance(clouds[i], clouds[j])
    return found
