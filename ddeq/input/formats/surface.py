"""Points on the surface of a mesh."""

from __future__ import annotations

import numpy as np

_NEGLIGIBLE = 1e-14  # area of a degenerate triangle, relative to the squared extent of the mesh


def areas(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Areas (F,) of triangles (F, 3) over vertices (V, 3), in squared units of the vertices."""
    a, b, c = (vertices[corner] for corner in triangles.T)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def have_area(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which triangles are not degenerate, up to rounding: bool (F,)."""
    extent = np.ptp(vertices, axis=0).max()
    return areas(vertices, triangles) > _NEGLIGIBLE * extent**2


def sample_uniform(
    vertices: np.ndarray, triangles: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Independent points (count, 3), uniform by area: a triangle by its area, a point within it.

    Args:
        vertices: float64 (V, 3).
        triangles: int64 (F, 3), with some area.
        count: points to draw.
        rng: where the randomness comes from.
    """
    reached = np.cumsum(areas(vertices, triangles))
    chosen = np.searchsorted(reached, rng.random(count) * reached[-1], side="right")
    a, b, c = (vertices[corner] for corner in triangles[chosen.clip(max=len(triangles) - 1)].T)
    u, v = rng.random((2, count, 1))
    beyond = u + v > 1  # the other half of the parallelogram
    u, v = np.where(beyond, 1 - u, u), np.where(beyond, 1 - v, v)
    return a + u * (b - a) + v * (c - a)


def sample_poisson_disk(
    vertices: np.ndarray, triangles: np.ndarray, count: int, seed: int
) -> np.ndarray:
    """Points (count, 3) that keep their distance from each other, by Open3D.

    Source: C. Yuksel, "Sample elimination for generating Poisson disk sample sets" (2015).
    Arguments as for `sample_uniform`, ``seed`` aside.
    """
    import open3d as o3d  # slow to import, and few need it

    mesh = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(vertices), o3d.utility.Vector3iVector(triangles)
    )
    o3d.utility.random.seed(seed)
    return np.asarray(mesh.sample_points_poisson_disk(count).points)
