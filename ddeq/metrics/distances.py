"""How far clouds are from each other."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance ``2 E|X - Y| - E|X - X'| - E|Y - Y'|`` of clouds ``a (N, d), b (M, d)``.

    It is the squared MMD of their uniform measures with the kernel ``-|x - y|``, here in double
    precision; in the units of the points.

    Source: Szekely and Rizzo 2013, https://doi.org/10.1016/j.jspi.2013.03.018.
    """
    return float(2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean())


def chamfer(a: np.ndarray, b: np.ndarray) -> float:
    """Chamfer distance of clouds ``a (N, d)`` and ``b (M, d)``, not squared, in their units.

    The mean distance from a point of ``a`` to the nearest of ``b``, and the other way round;
    of the two, the mean: the CD-l1 of the papers on completion. Zero exactly where both are the
    same set of points.

    Source: Yu et al. 2021, https://arxiv.org/abs/2108.08839, section 4.1.
    """
    there, back = _to_nearest(a, b)
    return float(there.mean() + back.mean()) / 2


def chamfer_squared(a: np.ndarray, b: np.ndarray) -> float:
    """Squared Chamfer distance of clouds ``a (N, d)`` and ``b (M, d)``, in their units squared.

    The mean squared distance from a point of ``a`` to the nearest of ``b``, and the other way
    round; of the two, the sum: the CD-l2 of the papers on completion.

    Source: Yu et al. 2021, https://arxiv.org/abs/2108.08839, section 4.1; the squares are those of
    Fan et al. 2017, https://arxiv.org/abs/1612.00603, which sums over points.
    """
    there, back = _to_nearest(a, b)
    return float(np.square(there).mean() + np.square(back).mean())


def _to_nearest(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances ``(N,)`` of each point of ``a`` to the nearest of ``b``, and ``(M,)`` back."""
    there, _ = cKDTree(b).query(a)
    back, _ = cKDTree(a).query(b)
    return np.asarray(there), np.asarray(back)


def unevenness(found: np.ndarray, truth: np.ndarray) -> float:
    """How unevenly points ``found (N, d)`` lie, relative to those of ``truth (M, d)``.

    The coefficient of variation of distances to the nearest other point, over that of the truth's:
    1 is as even as the truth, 0 a lattice, and heaps lie far above. NaN for fewer than two points,
    and for a truth that is a lattice itself, as pixels are.
    """
    if min(len(found), len(truth)) < 2:
        return float("nan")
    there, expected = _variation(found), _variation(truth)
    return there / expected if expected > 1e-2 else float("nan")


def _variation(points: np.ndarray) -> float:
    nearest = np.asarray(cKDTree(points).query(points, 2)[0])[:, 1]
    return float(nearest.std() / max(nearest.mean(), 1e-12))


def coverage(missing: np.ndarray, free: np.ndarray, radius: float) -> float:
    """Share of the points ``missing (M, d)`` that have one of ``free (N, d)`` within ``radius``."""
    nearest, _ = cKDTree(free).query(missing)
    return float(np.mean(nearest <= radius))


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
        return o3d.t.geometry.PointCloud(o3d.core.Tensor.from_numpy(padded.astype(np.float32)))

    percent = in_space(completed).compute_metrics(
        in_space(truth),
        [o3d.t.geometry.Metric.FScore],
        o3d.t.geometry.MetricParameters(fscore_radius=[1.0]),
    )
    return float(np.nan_to_num(percent.numpy()[0])) / 100  # no point near another is 0 / 0
