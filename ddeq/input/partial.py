"""Partial clouds: which points a scan, a cut, holes or thinning leave.

Every function takes points (M, d) and returns what is kept, bool (M,). Lengths are in the units of
the points. Combine masks with `&`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

DIGIT_HOLES = 2
DIGIT_HOLE_RADIUS = 0.6  # of a standardised digit (paper, section on completion)

_HIDDEN_RADIUS = 100.0  # of the flipping sphere, in distances from the camera


def random_holes(
    points: np.ndarray, holes: int, radius: float, rng: np.random.Generator
) -> np.ndarray:
    """Keep what is farther than `radius` from every one of `holes` random points of the cloud.

    The paper's rule for digits: two holes of radius 0.6 in the standardised cloud. The centres are
    different points, so `holes` may not exceed M (ValueError).
    """
    centres = points[rng.choice(len(points), holes, replace=False)]  # (holes, d)
    kept = np.ones(len(points), bool)
    for centre in centres:
        kept &= outside_sphere(points, centre, radius)
    return kept


def thinned(points: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Keep a `share` of the points, 0 to 1, rounded to whole points, drawn uniformly."""
    if not 0 <= share <= 1:
        raise ValueError(f"the share of points to keep must be in [0, 1], not {share}")
    kept = np.zeros(len(points), bool)
    kept[rng.choice(len(points), round(share * len(points)), replace=False)] = True
    return kept


def outside_sphere(points: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Keep the points farther than `radius` from `centre (d,)`."""
    return np.linalg.norm(points - centre, axis=1) > radius


def beyond_plane(points: np.ndarray, normal: np.ndarray, offset: float) -> np.ndarray:
    """Keep the points on the side of the plane to which `normal (d,)` points.

    The plane lies `offset` along the unit normal from the origin; points on it are kept. A normal
    of length zero has no sides (ValueError).
    """
    length = float(np.linalg.norm(normal))
    if not length > 0:
        raise ValueError("the normal of a plane must not be zero")
    return points @ (np.asarray(normal) / length) >= offset


@dataclass(frozen=True)
class Orbit:
    """A camera that looks at the centre of a cloud's box; z is up.

    Attributes:
        azimuth: degrees about the z axis, counter-clockwise from +x seen from above.
        elevation: degrees above the horizon, -90 to 90.
        distance: from the centre, in diagonals of the box; more than half a diagonal is outside it.
    """

    azimuth: float
    elevation: float
    distance: float = 2.0

    @classmethod
    def random(cls, rng: np.random.Generator, distance: float = 2.0) -> Orbit:
        """A camera in a direction drawn uniformly from the sphere."""
        return cls(
            azimuth=float(rng.uniform(0, 360)),
            elevation=math.degrees(math.asin(rng.uniform(-1, 1))),
            distance=distance,
        )

    @property
    def direction(self) -> np.ndarray:
        """From the centre to the camera: a unit vector (3,)."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        return np.array(
            [
                math.cos(elevation) * math.cos(azimuth),
                math.cos(elevation) * math.sin(azimuth),
                math.sin(elevation),
            ]
        )

    def position(self, points: np.ndarray) -> np.ndarray:
        """Where the camera stands (3,) to look at the points (M, 3)."""
        low, high = points.min(axis=0), points.max(axis=0)
        diagonal = float(np.linalg.norm(high - low))
        return (low + high) / 2 + self.distance * diagonal * self.direction


def seen_from(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Keep the points of a surface (M, 3) that a camera at `camera (3,)` can see.

    Hidden-point removal (Katz, Tal, Basri, *Direct visibility of point sets*, 2007, in Open3D): the
    points are flipped to the outside of a sphere about the camera, and those on the hull of the
    result are visible. The sphere's radius is 100 times the distance of the farthest point: larger
    lets points of the far side through, smaller hides points of curved near sides.
    """
    import open3d as o3d  # slow to import, and only scans need it

    kept = np.zeros(len(points), bool)
    distance = float(np.linalg.norm(points - camera, axis=1).max(initial=0))
    if len(points) < 4 or distance == 0:  # no hull to speak of
        return ~kept
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points.astype(np.float64)))
    _, visible = cloud.hidden_point_removal(
        np.asarray(camera, np.float64)[:, None], _HIDDEN_RADIUS * distance
    )
    kept[np.asarray(visible, np.int64)] = True
    return kept
