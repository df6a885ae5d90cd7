"""A cloud to the bytes of a file: .ply .xyz .npy .csv; `input.clouds.read_cloud` reads them back.

Every coordinate keeps all its bits. `.ply` and `.xyz` are for points in space, so a cloud in the
plane gets z = 0 there. `.ply` and `.csv` also tell known points (1) from completed ones (0).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.columns import AXES


def write_ply(points: np.ndarray, known: np.ndarray) -> bytes:
    """Binary PLY, little endian, double precision, with a property `known`.

    See `write_cloud` for the arguments, here and below.
    """
    points = _in_space(points)
    vertices = np.empty(len(points), [*((axis, "<f8") for axis in AXES), ("known", "u1")])
    for axis, column in zip(AXES, points.T, strict=True):
        vertices[axis] = column
    vertices["known"] = known
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(points)}",
        *(f"property double {axis}" for axis in AXES),
        "property uchar known",
        "end_header\n",
    ]
    return "\n".join(header).encode() + vertices.tobytes()


def write_xyz(points: np.ndarray, known: np.ndarray) -> bytes:
    """One point a line: x, y and z."""
    return _lines(_in_space(points), " ").encode()


def write_npy(points: np.ndarray, known: np.ndarray) -> bytes:
    """A NumPy array (M, d) of doubles."""
    file = io.BytesIO()
    np.save(file, np.asarray(points, "<f8"))
    return file.getvalue()


def write_csv(points: np.ndarray, known: np.ndarray) -> bytes:
    """One point a line under the heading x,y,known or x,y,z,known."""
    heading = ",".join([*AXES[: points.shape[1]], "known"]) + "\n"
    flags = np.asarray(known, bool).astype(int).tolist()
    lines = _lines(points, ",").splitlines()
    return (
        heading + "".join(f"{line},{k}\n" for line, k in zip(lines, flags, strict=True))
    ).encode()


Writer = Callable[[np.ndarray, np.ndarray], bytes]

WRITERS: dict[str, Writer] = {
    ".ply": write_ply,
    ".xyz": write_xyz,
    ".npy": write_npy,
    ".csv": write_csv,
}
"""By the file name ending that means each."""


def writer_for(name: str) -> Writer:
    """What writes a file of this name; its suffix decides the format.

    Raises:
        UserError: a format that cannot be written.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in WRITERS:
        raise UserError(
            f"'{name[:80]}' is not a kind of file that can be written, so end its name in one of "
            f"{', '.join(WRITERS)}."
        )
    return WRITERS[suffix]


def write_cloud(points: np.ndarray, known: np.ndarray, name: str) -> bytes:
    """The content of a file of this name.

    Args:
        points: (M, 2) or (M, 3).
        known: bool (M,), False where a point is the completion's.
        name: of the file; its suffix decides the format.

    Raises:
        UserError: a format that cannot be written.
    """
    return writer_for(name)(np.asarray(points, np.float64), known)


def _in_space(points: np.ndarray) -> np.ndarray:
    return np.pad(points, [(0, 0), (0, 3 - points.shape[1])])


def _lines(points: np.ndarray, separator: str) -> str:
    """Numbers in the shortest form that reads back as the same bits."""
    return "".join(separator.join(map(repr, row)) + "\n" for row in points.tolist())
