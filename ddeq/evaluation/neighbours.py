"""Completion without learning: look up the most similar training digit and copy what is missing."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from ddeq.input.images import pixel_cloud

RADIUS = 0.5  # in pixels: what the neighbour has within it of a known pixel is known already


class Neighbours:
    """Training digits to copy from.

    They are compared pixel by pixel. MNIST has scaled and centred each whole digit, so this knows
    a little more of a digit with holes than the networks do, which see its known points alone.

    Args:
        images: ``(T, 28, 28)``, ink is non-zero.
    """

    def __init__(self, images: np.ndarray) -> None:
        self.inks = images > 0
        away = [distance_transform_edt(~ink) for ink in self.inks]  # to the nearest ink
        self.distances = np.stack(away).astype(np.float32)  # (T, 28, 28)

    def missing(self, known: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """``count`` points of the digit whose ink covers the known pixels best.

        That is the least mean distance from a known pixel to its ink (a one-sided Chamfer
        distance). Of its pixels away from the known ones, as many as are asked for are drawn; if
        there are fewer, all of them are, about equally often.

        Args:
            known: bool ``(28, 28)``.
            count: how many.
            rng: for the draw.

        Returns:
            float32 ``(count, 2)``, pixel coordinates as in ``pixel_cloud``.
        """
        new = distance_transform_edt(~known) > RADIUS  # (28, 28)
        for t in self.distances[:, known].mean(1).argsort(kind="stable"):
            points = pixel_cloud(self.inks[t] & new)
            if len(points):
                break
        else:  # none has anything new: nothing to copy but the best neighbour itself
            points = pixel_cloud(self.inks[self.distances[:, known].mean(1).argmin()])
        return drawn(points, count, rng)


def drawn(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` of the points ``(M, d)`` drawn at random, each about equally often."""
    return points[rng.permutation(len(points))[np.arange(count) % len(points)]]
