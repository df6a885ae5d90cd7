"""Classification of objects without learning: their nearest neighbours by hand-made numbers."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from ddeq.input.labelled import Labelled

NEIGHBOURS = 3
_RATIOS = 0.3  # weight beside the histograms; the best of 0 to 2, leave-one-out on the train side


def describe(points: np.ndarray) -> np.ndarray:
    """Numbers ``(66,)`` about the shape of a cloud ``(M, 3)``, z up, however it is turned about z.

    Three histograms: of distances between two of its points, relative to their mean (D2, 32 bins),
    of heights, from floor to top (16 bins), and of distances from the vertical through the centre,
    relative to their mean (16 bins). Two logarithms: of breadth and of height to length, which are
    standard deviations along the principal axes of the floor plan and along z.

    Source of D2: Osada et al. 2002, https://doi.org/10.1145/571647.571648.
    """
    plan, heights = points[:, :2] - points[:, :2].mean(axis=0), points[:, 2]
    breadth, length = np.sqrt(np.linalg.eigvalsh(np.cov(plan.T)).clip(1e-12))
    ratios = np.log(np.array([breadth, max(heights.std(), 1e-6)]) / length).clip(-3, 3)
    low, high = heights.min(), max(heights.max(), heights.min() + 1e-6)
    histograms = [
        _histogram(_relative(pdist(points)), 32, (0, 3)),
        _histogram((heights - low) / (high - low), 16, (0, 1)),
        _histogram(_relative(np.linalg.norm(plan, axis=1)), 16, (0, 2.5)),
    ]
    return np.concatenate([*histograms, _RATIOS * ratios])


def _relative(lengths: np.ndarray) -> np.ndarray:
    return lengths / max(lengths.mean(), 1e-6)


def _histogram(values: np.ndarray, bins: int, limits: tuple[float, float]) -> np.ndarray:
    """The share of the values in each bin, those beyond the limits in none."""
    counts, _ = np.histogram(values, bins, limits)
    return counts / len(values)


class NearestObjects:
    """A nearest-neighbour rule: three neighbours by :func:`describe` and the sum of differences.

    A nearer neighbour counts for more, by one over its distance (Dudani 1976,
    https://doi.org/10.1109/TSMC.1976.5408784, names this and other weights).

    Args:
        known: clouds whose classes are known.
        classes: number of classes.
    """

    def __init__(self, known: Labelled, classes: int) -> None:
        self.labels, self.classes = known.labels, classes
        self.tree = cKDTree(np.stack([describe(cloud) for cloud in known.clouds]))

    def __call__(self, data: Labelled) -> np.ndarray:
        """Class probabilities ``(K, classes)`` of ``K`` clouds: their neighbours' votes."""
        described = np.stack([describe(cloud) for cloud in data.clouds])
        distances, found = self.tree.query(described, NEIGHBOURS, p=1)  # (K, 3)
        weights = 1 / (distances + 1e-9)
        votes = np.zeros((len(described), self.classes))
        np.add.at(votes, (np.arange(len(described))[:, None], self.labels[found]), weights)
        return votes / votes.sum(1, keepdims=True)
