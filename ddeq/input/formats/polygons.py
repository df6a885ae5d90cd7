"""Polygons, strips and fans to triangles.

A fan from one corner covers convex polygons only: of a concave one it also covers what lies
outside, so concave polygons are cut by https://github.com/mapbox/earcut.hpp instead.
"""

from __future__ import annotations

import mapbox_earcut
import numpy as np

_FLAT = 1e-12  # a turn this small, relative to the polygon's area, counts as straight


def triangulate(vertices: np.ndarray, corners: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Triangles that cover simple polygons exactly.

    Args:
        vertices: float64 (V, 3), finite.
        corners: int64 (sum of ``sizes``,), indices of vertices, polygon after polygon.
        sizes: int64 (P,), how many corners each polygon has; below three it covers nothing.

    Returns:
        int64 (T, 3): size - 2 triangles a polygon, fewer where a concave one crosses itself.

    Raises:
        IndexError: a corner is not a vertex.
    """
    if len(corners) and not (corners.min() >= 0 and corners.max() < len(vertices)):
        raise IndexError("a corner that is no vertex")
    starts = np.cumsum(sizes) - sizes
    order = np.argsort(sizes, kind="stable")
    found, first = np.unique(sizes[order], return_index=True)
    pieces = [np.zeros((0, 3), np.int64)]
    for size, alike in zip(found.tolist(), np.split(order, first[1:]), strict=False):
        if size < 3:
            continue
        polygons = corners[starts[alike, None] + np.arange(size)]  # (P,size)
        if size == 3:
            pieces.append(polygons)
            continue
        turns = _turns(vertices[polygons])  # (P,size)
        if size == 4:  # any quad is covered from its one corner that points inwards
            polygons = _roll(polygons, turns.argmin(axis=1))
            concave = (turns < 0).sum(axis=1) > 1
        else:
            concave = (turns < 0).any(axis=1)
        pieces.append(_fans(polygons[~concave]))
        pieces += _cut(vertices, polygons[concave])
    return np.concatenate(pieces)


def strip_triangles(corners: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Triangles (F, 3) of strips, in each of which every corner makes one with the two before it.

    Corners of -1 begin a strip anew; triangles of fewer than three different corners, which join
    strips, are left out.

    Args:
        corners: int64 (sum of ``sizes``,), strip after strip.
        sizes: int64 (S,), how many corners each strip has.
    """
    places = np.arange(len(corners))
    begins = np.zeros(len(corners), bool)
    begins[(np.cumsum(sizes) - sizes)[sizes > 0]] = True
    begins[1:] |= corners[:-1] == -1
    since = places - np.maximum.accumulate(
        np.where(begins, places, 0)
    )  # corners of the strip above
    last = places[(since >= 2) & (corners != -1)]
    a, b, c = corners[last - 2], corners[last - 1], corners[last]
    odd = since[last] % 2 == 1  # every other triangle is wound the other way
    triangles = np.stack([np.where(odd, b, a), np.where(odd, a, b), c], axis=1)
    return triangles[(a != b) & (b != c) & (a != c)]


def fan_triangles(corners: np.ndarray) -> np.ndarray:
    """Triangles (n - 2, 3) of a fan: every edge (n corners) joined to the first corner."""
    return _fans(corners[None])


def _fans(polygons: np.ndarray) -> np.ndarray:
    """(P, n) to (P (n - 2), 3): every edge joined to the first corner."""
    first = np.broadcast_to(polygons[:, :1], polygons[:, 2:].shape)
    return np.stack([first, polygons[:, 1:-1], polygons[:, 2:]], axis=2).reshape(-1, 3)


def _normals(points: np.ndarray) -> np.ndarray:
    """Newell's normals of polygons (P, n, 3): (P, 3), as long as twice the area."""
    arms = points - points[:, :1]
    return np.cross(arms, np.roll(arms, -1, axis=1)).sum(axis=1)


def _turns(points: np.ndarray) -> np.ndarray:
    """How sharply polygons (P, n, 3) turn at their corners: (P, n), below 0 where inwards."""
    edges = np.roll(points, -1, axis=1) - points
    normals = _normals(points)
    turns = np.einsum("pni,pi->pn", np.cross(np.roll(edges, 1, axis=1), edges), normals)
    return np.where(turns >= -_FLAT * (normals**2).sum(axis=1, keepdims=True), abs(turns), turns)


def _roll(polygons: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Polygons (P, n) that begin with their corners (P,)."""
    size = polygons.shape[1]
    return np.take_along_axis(polygons, (first[:, None] + np.arange(size)) % size, axis=1)


def _cut(vertices: np.ndarray, polygons: np.ndarray) -> list[np.ndarray]:
    """Triangles (T, 3) of each polygon (n corners), as indices of vertices."""
    points = vertices[polygons]  # (P,n,3)
    seen = np.abs(_normals(points)).argmax(axis=1)  # the axis along which each is widest
    axes = np.array([[1, 2], [0, 2], [0, 1]])[seen]
    planes = np.take_along_axis(points, axes[:, None], axis=2)  # (P,n,2)
    ends = np.array(polygons.shape[1:], np.uint32)  # of the outline, and no holes
    return [
        polygon[mapbox_earcut.triangulate_float64(plane, ends)].reshape(-1, 3)
        for polygon, plane in zip(polygons, planes, strict=True)
    ]
