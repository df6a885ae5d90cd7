"""Completion of objects without learning: copy from the training object that fits best."""

from __future__ import annotations

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
        rng = np.random.default_rng(case.number)
        probes = case.known[rng.permutation(len(case.known))[:_PROBES]]
        turned = probes @ _QUARTER_TURNS  # (4, P, 3)
        fits = np.array([np.mean(tree.query(turned)[0], axis=1) for tree in self.trees])  # (T, 4)
        known = cKDTree(case.known)
        for best in fits.argsort(axis=None, kind="stable"):
            t, turn = np.unravel_index(best, fits.shape)
            points = self.clouds[t] @ _QUARTER_TURNS[turn].T
            new = points[known.query(points)[0] > RADIUS]
            if len(new):
                return drawn(new, case.free, rng)
        return drawn(self.clouds[fits.min(axis=1).argmin()], case.free, rng)
