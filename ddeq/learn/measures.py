"""Chapter 2: clouds as measures, and distances between them that ignore the order of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ot
import torch
from scipy.spatial.distance import cdist

from ddeq.solve.kernels import Kernel, mmd2


@dataclass(frozen=True, eq=False)
class Transport:
    """The cheapest way to carry one cloud onto another.

    Attributes:
        plan: ``(N, M)``, how much mass goes from point ``n`` to point ``m``; rows sum to ``1/N``,
            columns to ``1/M``.
        distance: Wasserstein-2, in the units of the points.
    """

    plan: np.ndarray
    distance: float


def transport(a: np.ndarray, b: np.ndarray) -> Transport:
    """The optimal plan between the uniform measures on ``a (N, d)`` and ``b (M, d)``, by POT.

    Source: Peyre and Cuturi 2019, https://arxiv.org/abs/1803.00567, chapter 2.
    """
    cost = cdist(a, b, "sqeuclidean")  # (N, M)
    plan = ot.emd([], [], cost)
    return Transport(plan, float(np.sqrt((plan * cost).sum())))


def mmd(a: np.ndarray, b: np.ndarray, kernel: Kernel, valid: np.ndarray | None = None) -> float:
    """Maximum mean discrepancy of clouds ``a (N, d)`` and ``b (M, d)``.

    Args:
        a, b: the clouds.
        kernel: of the MMD.
        valid: ``(N,)`` bool, which points of ``a`` count; None if all do.
    """
    mask = None if valid is None else torch.from_numpy(valid)[None]
    squared = mmd2(torch.from_numpy(a)[None], torch.from_numpy(b)[None], kernel, mask)
    return float(squared.clamp(min=0).sqrt())


def list_distance(a: np.ndarray, b: np.ndarray) -> float | None:
    """What two *lists* differ by: each point compared to the one with its number.

    The root of the mean squared distance; None where the lists have different lengths.
    """
    return float(np.sqrt(((a - b) ** 2).sum(1).mean())) if len(a) == len(b) else None


def shuffled(points: np.ndarray, seed: int) -> np.ndarray:
    """The same points ``(N, d)`` in another order."""
    return np.random.default_rng(seed).permutation(points)


def duplicated(points: np.ndarray) -> np.ndarray:
    """Every point twice, ``(2 N, d)``: the same measure."""
    return np.repeat(points, 2, axis=0)


def padded(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` rows of zeros behind the points, ``(N + count, d)``, and which rows count."""
    filled = np.concatenate([points, np.zeros((count, points.shape[1]))])
    return filled, np.arange(len(filled)) < len(points)
