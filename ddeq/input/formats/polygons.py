"""Polygons to triangles.

A fan from one corner covers convex polygons only: of a concave one it also covers what lies
outside, so concave polygons lose their ears one by one instead.
Source: G. H. Meisters, "Polygons have ears", Amer. Math. Monthly 82 (1975).
"""

from __future__ import annotations

import numpy as np

_FLAT = 1e-12  # a turn this small, relative to the polygon's area, counts as straight


def triangulate(vertices: np.ndarray, corners: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Triangles that cover simple polygons exactly.

    Args:
        vertices: float64 (V, 3), finite.
        corners: int64 (sum of ``sizes``,), indices of vertices, polygon after polygon.
        sizes: int64 (P,), how many corners each polygon has; below three it covers nothing.

    Returns:
        int64 (T, 3): sizes - 2 triangles a polygon.

    Raises:
        IndexError: a corner is not a vertex.
    """
    if len(corners) and not (corners.min() >= 0 and corners.max() < len(vertices)):
        raise IndexError("a corner that is no vertex")
    starts = np.cumsum(sizes) - sizes
    pieces = [np.zeros((0, 3), np.int64)]
    for size in np.unique(sizes[sizes >= 3]):
        polygons = corners[starts[sizes == size, None] + np.arange(size)]  # (P,size)
        convex = _are_convex(vertices[polygons]) if size > 3 else np.ones(len(polygons), bool)
        pieces.append(_fans(polygons[convex]))
        pieces += [polygon[_clip_ears(vertices[polygon])] for polygon in polygons[~convex]]
    return np.concatenate(pieces)


def _fans(polygons: np.ndarray) -> np.ndarray:
    """(P, n) to (P (n - 2), 3): every edge joined to the first corner."""
    first = np.broadcast_to(polygons[:, :1], polygons[:, 2:].shape)
    return np.stack([first, polygons[:, 1:-1], polygons[:, 2:]], axis=2).reshape(-1, 3)


def _normals(points: np.ndarray) -> np.ndarray:
    """Newell's normals of polygons (P, n, 3): (P, 3), as long as twice the area."""
    arms = points - points[:, :1]
    return np.cross(arms, np.roll(arms, -1, axis=1)).sum(axis=1)


def _are_convex(points: np.ndarray) -> np.ndarray:
    """Whether polygons (P, n, 3) turn one way only: bool (P,)."""
    edges = np.roll(points, -1, axis=1) - points
    normals = _normals(points)
    turns = np.einsum("pni,pi->pn", np.cross(np.roll(edges, 1, axis=1), edges), normals)
    return (turns >= -_FLAT * (normals**2).sum(axis=1, keepdims=True)).all(axis=1)


def _clip_ears(points: np.ndarray) -> np.ndarray:
    """Triangles (n - 2, 3) of one polygon (n, 3), as indices of its corners."""
    normal = _normals(points[None])[0]
    seen = int(np.abs(normal).argmax())  # the polygon is widest along this axis
    plane = points[:, [(seen + 1) % 3, (seen + 2) % 3]] * [np.sign(normal[seen]) or 1.0, 1.0]
    ring, triangles = np.arange(len(points)), []
    while len(ring) > 3:
        ear = _find_ear(plane[ring])
        triangles.append(ring[[ear - 1, ear, (ear + 1) % len(ring)]])
        ring = np.delete(ring, ear)
    return np.array([*triangles, ring])


def _find_ear(ring: np.ndarray) -> int:
    """A corner of the counterclockwise polygon (n, 2) that can be cut off; the widest if none."""
    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    turns = _cross(ring - before, after - ring)  # (n,) positive at convex corners
    reflex = ring[turns < 0]
    for corner in np.flatnonzero(turns >= 0):
        ear = np.stack([before[corner], ring[corner], after[corner]])
        # A reflex corner on the edge of the ear blocks it as well, one that touches a corner of
        # the ear (as on both sides of a slit) does not.
        others = reflex[(reflex[:, None] != ear).any(axis=2).all(axis=1)]
        arms = others[:, None] - ear  # (R,3,2)
        if not (_cross(np.roll(ear, -1, axis=0) - ear, arms) >= 0).all(axis=1).any():
            return int(corner)
    return int(turns.argmax())  # the polygon crosses itself


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
