"""Points of a scan that belong to nothing are left out of it."""

from __future__ import annotations

import numpy as np

from ddeq.input.clouds import PointCloud

MOST = 100_000  # points looked at; of more, so many are drawn at random

# Chosen by the classifier's accuracy on validation shapes, some with outliers: fewer deviations
# cost thin parts of whole shapes, and more of them leave outliers in.
_NEIGHBOURS, _DEVIATIONS = 8, 3.0
_FEWEST = 30  # points of which any may be told from the others


def without_outliers(cloud: PointCloud) -> tuple[PointCloud, tuple[str, ...]]:
    """A cloud in space without the points that lie apart, and a note where there are any.

    A point lies apart if its neighbours are on average farther from it than is usual by three
    standard deviations: Rusu et al. 2008, https://doi.org/10.1016/j.robot.2008.08.005, section 4.1,
    in Open3D. Small clouds and those in the plane stay as they are.
    """
    points = cloud.points
    if points.shape[1] != 3 or len(points) < _FEWEST:
        return cloud, ()
    import open3d as o3d  # slow to import, and not every input needs it

    if len(points) > MOST:
        some = np.random.default_rng(0).choice(len(points), MOST, replace=False)
        points = points[np.sort(some)]
    scan = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points))
    _, kept = scan.remove_statistical_outlier(_NEIGHBOURS, _DEVIATIONS)
    left = points[np.asarray(kept, np.int64)]
    apart = len(points) - len(left)
    if not apart or len(left) < _FEWEST:
        return PointCloud(points, cloud.name), ()
    note = f"{apart:,} of {len(points):,} points lie apart from the others and are left out."
    return PointCloud(left, cloud.name), (note,)
