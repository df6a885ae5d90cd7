"""Chapter 2: clouds as measures, and distances between them that ignore the order of points."""

from __future__ import annotations

import numpy as np
import torch

from ddeq.solve.kernels import Radial, mmd2


def mmd(a: np.ndarray, b: np.ndarray, kernel: Radial, valid: np.ndarray | None = None) -> float:
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
