"""Numbers about particles, predictions and completed clouds."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist
from torch import Tensor

_RESAMPLES, _AT_ONCE = 2000, 100  # of a bootstrap, and how many are drawn together


def spread(z: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean distance of a cloud's particles from their centre.

    Zero exactly when all particles have collapsed to one point, an equilibrium that says less than
    its small objective suggests.

    Args:
        z: ``(B, N, d)``.
        mask: ``(B, N)`` bool, True where valid; None if all are.

    Returns:
        ``(B,)``, in the units of ``z``.
    """
    valid = torch.ones_like(z[..., 0]) if mask is None else mask.to(z.dtype)  # (B, N)
    mass = (valid / valid.sum(1, keepdim=True))[..., None]  # (B, N, 1)
    centre = (mass * z).sum(1, keepdim=True)  # (B, 1, d)
    return (mass[..., 0] * (z - centre).norm(dim=-1)).sum(1)


def wilson_interval(correct: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % score interval of a proportion.

    Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953.
    """
    p = correct / total
    middle = p + z * z / (2 * total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return (middle - half) / scale, (middle + half) / scale


def mean_interval(values: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of ``values (n,)``, by percentiles; always the same one.

    With ``groups (n,)`` whole groups of values are drawn, as several samplings of one object are
    not several objects.

    Source: Efron and Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13; of groups,
    Field and Welsh 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x.
    """
    rng = np.random.default_rng(0)
    _, group = np.unique(np.arange(len(values)) if groups is None else groups, return_inverse=True)
    sums, counts = np.bincount(group, values), np.bincount(group)  # (G,)
    means = []
    for _ in range(_RESAMPLES // _AT_ONCE):
        drawn = rng.integers(len(sums), size=(_AT_ONCE, len(sums)))
        means.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` of clouds ``a (N, d), b (M, d)``.

    It is the squared MMD of their uniform measures with the kernel ``-|x - y|``, here in double
    precision; in the units of the points.

    Source: Szekely and Rizzo 2013, https://doi.org/10.1016/j.jspi.2013.03.018.
    """
    return float(2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean())


def chamfer(a: np.ndarray, b: np.ndarray) -> float:
    """Chamfer distance of clouds ``a (N, d)`` and ``b (M, d)``, in their units.

    The mean distance from a point of ``a`` to the nearest of ``b``, and the other way round;
    of the two, the mean. Zero exactly where both are the same set of points.
    """
    there, _ = cKDTree(b).query(a)
    back, _ = cKDTree(a).query(b)
    return float(there.mean() + back.mean()) / 2


def emd(a: np.ndarray, b: np.ndarray) -> float:
    """Earth mover's distance (Wasserstein-1) of clouds ``a (N, d)`` and ``b (M, d)``, exactly.

    The least mean distance over which the uniform measure on ``a`` is carried to that on ``b``, in
    the units of the points; by linear programming (POT), so time grows with the cube of the sizes.
    """
    import ot  # slow to import, and few runs need it

    return float(ot.emd2([], [], cdist(a, b), numItermax=1_000_000))


def coverage(missing: np.ndarray, free: np.ndarray, radius: float) -> float:
    """Share of the points ``missing (M, d)`` that have one of ``free (N, d)`` within ``radius``."""
    nearest, _ = cKDTree(free).query(missing)
    return float((nearest <= radius).mean())


def f_score_radius(truth: np.ndarray, share: float = 0.01) -> float:
    """Radius of the F-score at 1 %: this share of the longest side of the box of truth ``(M, d)``.

    Source: Tatarchenko et al. 2019, https://arxiv.org/abs/1905.03678.
    """
    return share * float(np.ptp(truth, axis=0).max())


def f_score(completed: np.ndarray, truth: np.ndarray, radius: float) -> float:
    """F-score of a cloud ``(N, d)`` against its truth ``(M, d)``, d in {2, 3}, by Open3D: 0 to 1.

    The harmonic mean of precision, the share of completed points that are nearer than ``radius``
    to a true one, and recall, the same the other way round.

    Source: Knapitsch et al. 2017, https://doi.org/10.1145/3072959.3073599.
    """
    import open3d as o3d  # slow to import, and few runs need it

    def in_space(points: np.ndarray) -> o3d.t.geometry.PointCloud:
        scaled = (points - truth.mean(axis=0)) / radius  # as Open3D computes in single precision
        padded = np.pad(scaled, [(0, 0), (0, 3 - points.shape[1])])  # (P, 3)
        return o3d.t.geometry.PointCloud(np.ascontiguousarray(padded, np.float32))

    percent = in_space(completed).compute_metrics(
        in_space(truth),
        [o3d.t.geometry.Metric.FScore],
        o3d.t.geometry.MetricParameters(fscore_radius=[1.0]),
    )
    return float(np.nan_to_num(percent.numpy()[0])) / 100  # no point near another is 0 / 0
