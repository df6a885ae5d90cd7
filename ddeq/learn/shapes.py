"""Clouds to aim at, with as many points as are asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.cluster.vq import kmeans2

SIZE = 1.4  # root mean square distance of a target's points from their centre


def ring(count: int) -> np.ndarray:
    """Evenly spaced on a circle, ``(count, 2)``."""
    angle = 2 * np.pi * np.arange(count) / count
    return SIZE * np.stack([np.cos(angle), np.sin(angle)], -1)


def islands(count: int) -> np.ndarray:
    """Two small discs, ``(count, 2)``."""
    inner = np.sqrt((np.arange(count) // 2 + 0.5) / (count / 2))
    angle = 2.4 * np.arange(count)  # the golden angle fills a disc evenly
    disc = 0.5 * inner[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    return disc + np.where(np.arange(count) % 2, 1.3, -1.3)[:, None] * np.array([1.0, 0.4])


def spiral(count: int) -> np.ndarray:
    """Two turns of a spiral, ``(count, 2)``."""
    along = np.sqrt((np.arange(count) + 0.5) / count)
    angle = 4 * np.pi * along
    return fitted(along[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1), count)


SHAPES: dict[str, Callable[[int], np.ndarray]] = {
    "ring": ring,
    "islands": islands,
    "spiral": spiral,
}


def fitted(points: np.ndarray, count: int) -> np.ndarray:
    """A cloud as a target: centred, of size :data:`SIZE`, with ``count`` points spread over it.

    Args:
        points: ``(M, 2)``, with a positive spread.
        count: how many points; at most ``M``.
    """
    centred = points - points.mean(0)
    scaled = SIZE * centred / np.sqrt((centred**2).sum(1).mean())
    if len(scaled) == count:
        return scaled
    centres, _ = kmeans2(scaled, count, minit="++", seed=0)
    return centres
