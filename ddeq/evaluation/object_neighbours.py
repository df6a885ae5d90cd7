"""Completion of objects without learning: copy from the training object that fits best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.spatial import cKDTree

from ddeq.evaluation.cases import Case
from ddeq.evaluation.neighbours import drawn
from ddeq.training.datasets.objects import ObjectClouds

# In units of the whole object: what is nearer to a known point is known already. Of 0.1, 0.2 and
# 0.3 the best on validation objects.
RADIUS = 0.1

_POINTS = 2048  # of a training object
_PROBES = 64  # known points compared with all of them
_ROUNDS = 3  # of finding place and size
_QUARTER_TURNS = np.stack(
    [[[c, s, 0], [-s, c, 0], [0, 0, 1]] for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
).astype(float)  # (4, 3, 3)


class ObjectNeighbours:
    """Training objects to copy from.

    They are standardised as wholes and compared with known points in units of *their* whole, so
    this knows more of a partial object, its size and its place, than the networks do.

    Args:
        objects: ``T`` of them.
    """

    def __init__(self, objects: ObjectClouds) -> None:
        batch = objects.batch(torch.arange(len(objects)), _POINTS, torch.Generator().manual_seed(0))
        self.clouds = batch.x.double().numpy()  # (T, _POINTS, 3)
        self.trees = [cKDTree(cloud) for cloud in self.clouds]

    def complete(self, case: Case) -> np.ndarray:
        """``(N, 3)`` points of the object whose surface fits the known points best.

        That is the least mean distance from a known point to it (a one-sided Chamfer distance), in
        the best of four quarter turns about z. Its points away from the known ones are copied.
        """
        return self._copied(case, 0)

    def complete_untold(self, case: Case) -> np.ndarray:
        """The same for known points whose place and size in the whole nobody tells.

        They start where their own centre and size put them; the place and size that fit an object
        best are then found by its nearest points, a few times over.
        """
        return self._copied(case, _ROUNDS)

    def _copied(self, case: Case, rounds: int) -> np.ndarray:
        rng = np.random.default_rng(case.number)
        given = case.standard.points.astype(float) if rounds else case.known
        probes = given[rng.permutation(len(given))[:_PROBES]]
        turned = probes @ _QUARTER_TURNS  # (4, P, 3)
        placed = [_placed(turned, cloud, tree, rounds) for cloud, tree in self._every()]
        fits = np.array([fit for fit, _, _ in placed])  # (T, 4)
        known = cKDTree(case.known)
        for best in fits.argsort(axis=None, kind="stable"):
            t, turn = np.unravel_index(best, fits.shape)
            _, scale, shift = placed[t]
            points = ((self.clouds[t] - shift[turn]) / scale[turn]) @ _QUARTER_TURNS[turn].T
            if rounds:
                points = case.standard.undo(points)
            new = points[known.query(points)[0] > RADIUS]
            if len(new):
                return drawn(new, case.free, rng)
        return drawn(self.clouds[fits.min(axis=1).argmin()], case.free, rng)

    def _every(self) -> Iterator[tuple[np.ndarray, cKDTree]]:
        return zip(self.clouds, self.trees, strict=True)


def _placed(
    turned: np.ndarray, cloud: np.ndarray, tree: cKDTree, rounds: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far probes ``(4, P, 3)`` lie from a cloud ``(R, 3)`` on average, in four turns, ``(4,)``;
    and the factors ``(4,)`` and shifts ``(4, 3)`` that put them there.

    Each round moves and scales the probes so as to fit the nearest points by least squares, by at
    most a half and at least two thirds of the size that they begin with.
    """
    scale, shift = np.ones(4), np.zeros((4, 3))
    for _ in range(rounds):
        nearest = cloud[tree.query(scale[:, None, None] * turned + shift[:, None])[1]]  # (4, P, 3)
        here, there = turned.mean(1, keepdims=True), nearest.mean(1, keepdims=True)
        both = ((turned - here) * (nearest - there)).sum((1, 2))
        scale = (both / ((turned - here) ** 2).sum((1, 2)).clip(1e-12)).clip(2 / 3, 3 / 2)
        shift = (there - scale[:, None, None] * here)[:, 0]
    away = np.asarray(tree.query(scale[:, None, None] * turned + shift[:, None])[0])  # (4, P)
    return away.mean(1) / scale, scale, shift
