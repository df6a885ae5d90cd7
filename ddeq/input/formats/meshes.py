"""What readers of meshes share: polygons to triangles, weights, counts, notes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import (
    MAX_FACES,
    MAX_POINTS,
    no_faces,
    too_many_faces,
    too_many_points,
)
from ddeq.input.formats.polygons import triangulate


def joined(objects: int) -> tuple[str, ...]:
    """The note on a file of several objects."""
    return (f"Its {objects:,} objects are joined into one.",) if objects > 1 else ()


def build_mesh(
    points: np.ndarray, corners: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, int, tuple[str, ...]]:
    """Triangles (F, 3) of polygons, how many polygons have three corners, a note on the others.

    Points that are not finite make no difference here: whoever uses them refuses them.

    Raises:
        IndexError: a corner is not a vertex.
    """
    faces = int((sizes >= 3).sum())
    with np.errstate(invalid="ignore", over="ignore"):
        triangles = triangulate(points, corners, sizes)
    narrow = len(sizes) - faces
    return (
        triangles,
        faces,
        (f"{narrow:,} faces of fewer than three corners are ignored.",) * (narrow > 0),
    )


def make_mesh(
    points: np.ndarray,
    corners: np.ndarray,
    sizes: np.ndarray,
    name: str,
    objects: int = 1,
    notes: tuple[str, ...] = (),
    **more: Any,
) -> Geometry:
    """A mesh of polygons, see `build_mesh`; ``more`` are further fields of `Geometry`.

    Raises:
        UserError: no polygon has three corners.
        IndexError: a corner is not a vertex.
    """
    triangles, faces, ignored = build_mesh(points, corners, sizes)
    if not faces:
        raise no_faces(name)
    notes = joined(objects) + notes + ignored
    return Geometry(points, triangles, faces, notes=notes, **more)


def without_weights(table: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Points (V, 3) of homogeneous coordinates (V, 4), and a note if that changes them.

    A weight that is missing or 0, which would be a point at infinity, counts as 1.
    """
    weights = np.where((table[:, 3:] == 0) | np.isnan(table[:, 3:]), 1.0, table[:, 3:])
    note = "Its points are divided by their weights, the fourth numbers."
    return table[:, :3] / weights, (note,) * bool((weights != 1).any())


def check_counts(points: int, faces: int, name: str) -> None:
    """Raises UserError for more than the limits allow."""
    if points > MAX_POINTS:
        raise too_many_points(name)
    if faces > MAX_FACES:
        raise too_many_faces(name)
