"""Closed lines that show a sphere or a plane among points in space."""

from __future__ import annotations

import numpy as np

Sphere = tuple[np.ndarray, float]
"""Centre ``(3,)`` and radius."""

Plane = tuple[np.ndarray, float]
"""Normal ``(3,)`` and offset, as of :func:`ddeq.input.partial.beyond_plane`."""

_CIRCLE = np.linspace(0, 2 * np.pi, 49)[:-1]
_FLATTEST = 0.05  # half side of the box that a plane is drawn in, so that it is never flat
_MARGIN = 1.1  # of that box around the points'


def great_circles(centre: np.ndarray, radius: float) -> list[np.ndarray]:
    """Three circles of a sphere about the axes, each ``(48, 3)``."""
    circle = radius * np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE), 0 * _CIRCLE], axis=1)  # (48, 3)
    return [centre + np.roll(circle, turn, axis=1) for turn in range(3)]


def plane_in_box(normal: np.ndarray, offset: float, half: np.ndarray) -> list[np.ndarray]:
    """What a plane ``normal @ x = offset`` cuts from a box about the origin: one polygon or none.

    Args:
        normal: ``(3,)``, of length 1.
        offset: along it.
        half: half sides of the points' box ``(3,)``, than which the drawn one is a little larger.
    """
    half = np.maximum(_MARGIN * half, _FLATTEST)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T  # (8, 3)
    corners = signs * half
    above = corners @ normal - offset  # (8,)
    cuts = [
        a + (b - a) * (x / (x - y))
        for i, (a, x) in enumerate(zip(corners, above, strict=True))
        for j, (b, y) in enumerate(zip(corners, above, strict=True))
        if i < j and (signs[i] == signs[j]).sum() == 2 and (x < 0) != (y < 0)
    ]
    if not cuts:
        return []
    around = np.array(cuts) - np.mean(cuts, axis=0)  # (P, 3)
    right = around[0] / np.linalg.norm(around[0])
    angles = np.arctan2(around @ np.cross(normal, right), around @ right)
    return [np.array(cuts)[np.argsort(angles)]]


def outlines(points: np.ndarray, sphere: Sphere | None, plane: Plane | None) -> list[np.ndarray]:
    """Closed lines ``(P, 3)`` of a sphere and a plane among points ``(M, 3)``, in their units."""
    low, high = points.min(axis=0), points.max(axis=0)  # (3,), (3,)
    centre, unit = (low + high) / 2, max(float((high - low).max()) / 2, 1e-30)
    lines = [] if sphere is None else great_circles(*sphere)
    if plane is not None:
        normal = plane[0] / np.linalg.norm(plane[0])
        half, offset = (high - low) / unit / 2, (plane[1] - normal @ centre) / unit
        lines += [centre + unit * line for line in plane_in_box(normal, offset, half)]
    return lines
