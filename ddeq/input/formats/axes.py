"""Which way is up."""

from __future__ import annotations

import numpy as np

UP_AXES = ("x", "y", "z", "-x", "-y", "-z")

# Rows: where the new x, y and z come from. Each is a quarter turn about a coordinate axis (a half
# turn for -z), so that nothing is mirrored.
_TURNS = {
    "x": [[0, 0, -1], [0, 1, 0], [1, 0, 0]],
    "-x": [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
    "y": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "-y": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    "z": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "-z": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
}


def turn_up(points: np.ndarray, axis: str) -> np.ndarray:
    """Points (M, 3) rotated about the origin so that ``axis``, one of `UP_AXES`, becomes +z."""
    return points @ np.array(_TURNS[axis], points.dtype).T


def turn_back(points: np.ndarray, axis: str) -> np.ndarray:
    """The inverse of `turn_up`: back into the file's own axes."""
    return points @ np.array(_TURNS[axis], points.dtype)
