"""A fixed linear view of the latent space: principal axes, computed once per run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Projection:
    """An orthogonal projection onto a few axes.

    Attributes:
        centre: ``(d,)``, maps to the origin.
        axes: ``(k, d)``, orthonormal rows.
        explained: ``(k,)``, share of the fitted points' variance along each axis.
    """

    centre: np.ndarray
    axes: np.ndarray
    explained: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Coordinates ``(..., k)`` of points ``(..., d)``."""
        return (points - self.centre) @ self.axes.T

    def directions(self, vectors: np.ndarray) -> np.ndarray:
        """Components ``(..., k)`` of vectors ``(..., d)``, which have no origin."""
        return vectors @ self.axes.T


def principal_axes(points: np.ndarray, count: int) -> Projection:
    """The ``count`` axes along which points ``(n, d)`` vary most; signs are fixed, not random."""
    centre = points.mean(0)  # (d,)
    _, singular, axes = np.linalg.svd(points - centre, full_matrices=False)
    axes = axes[:count]  # (k, d)
    largest = np.abs(axes).argmax(1)  # (k,)
    axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    variance = singular**2
    return Projection(centre, axes, variance[:count] / max(variance.sum(), 1e-30))
