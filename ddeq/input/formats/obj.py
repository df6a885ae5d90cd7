"""Wavefront OBJ files: .obj.

Decoded here, because tinyobjloader 2.0rc13 reads NaN and a coordinate that is missing as 0, keeps
corners that are no vertices, and refuses faces on two lines or with a comment behind them; and
trimesh 5.2 covers concave polygons with fans, which also cover what lies outside of them, reads a
corner 0, and refuses comments behind faces. Lines of any kind that give no surface are skipped.

Format: https://paulbourke.net/dataformats/obj/
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import broken_mesh, no_faces
from ddeq.input.formats.meshes import check_counts, make_mesh, without_weights
from ddeq.input.formats.plain import Ragged, decode, read_numbers

_VERTEX = (b"v ", b"v\t")
_FACE = (b"f ", b"f\t", b"fo ", b"fo\t")  # fo: as Wavefront wrote them first
_LINE = (b"l ", b"l\t", b"curv ", b"surf ")
_BAD = (ValueError, IndexError, OverflowError)


def parse_obj(data: bytes, name: str) -> Geometry:
    """The faces of an OBJ file, whatever objects, groups and materials they belong to.

    Without faces it is a cloud of its vertices, unless they are joined to lines or curves. See
    `ddeq.input.formats.parse` for arguments, result and errors.
    """
    try:
        text = decode(data)
    except ValueError:
        raise broken_mesh(name, "OBJ") from None
    if b"#" in text:
        text = re.sub(rb"#.*", b"", text)
    if b"\\" in text:
        text = re.sub(rb"\\[ \t]*\n", b" ", text)
    lines = [line.strip() for line in text.split(b"\n")]
    vertices = [line for line in lines if line.startswith(_VERTEX)]
    faces = [line for line in lines if line.startswith(_FACE)]
    if not faces and (not vertices or any(line.startswith(_LINE) for line in lines)):
        raise no_faces(name)
    check_counts(len(vertices), len(faces), name)
    try:
        points, notes = _read_vertices(vertices)
        more: dict[str, Any] = {
            "up": "y",
            "has_colours": len(vertices[0].split()) >= 7,
            "has_normals": any(line.startswith(b"vn") for line in lines),
        }
        if not faces:
            return Geometry(points, notes=notes, **more)
        corners, sizes = _read_faces(faces, lines)
        objects = sum(line.startswith((b"o ", b"o\t")) for line in lines)
        return make_mesh(points, corners, sizes, name, objects, notes=notes, **more)
    except UserError:
        raise
    except _BAD:
        raise broken_mesh(name, "OBJ") from None


def _read_vertices(lines: list[bytes]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Points (V, 3) and a note on their weights, where each has one."""
    if not lines:
        return np.zeros((0, 3)), ()
    width = len(lines[0].split())
    columns = (1, 2, 3, 4) if width == 5 else (1, 2, 3)
    table = read_numbers(b"\n".join(lines), max(width, 4), columns, loose=True)
    if np.isnan(table[:, :3]).any():
        raise Ragged("a vertex of fewer than three numbers")
    return (table, ()) if width != 5 else without_weights(table)


def _read_faces(faces: list[bytes], lines: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Corners, face after face, counted from 0, and how many each face has."""
    # One pass after the other, as lists of words would take far more memory than the file.
    sizes = np.fromiter((len(line.split()) - 1 for line in faces), np.int64, len(faces))
    text = b"\n".join(line.partition(b" " if b" " in line else b"\t")[2] for line in faces)
    corners = _read_corners(text, int(sizes.sum()))
    if (corners < 0).any():  # counted back from the last vertex above the face
        above = np.cumsum([line.startswith(_VERTEX) for line in lines])
        rows = [i for i, line in enumerate(lines) if line.startswith(_FACE)]
        back = np.repeat(above[rows], sizes)
        corners = np.where(corners < 0, back + corners + 1, corners)
    return corners - 1, sizes


def _read_corners(text: bytes, count: int) -> np.ndarray:
    """The first number of each of ``count`` words such as 1, 1/2, 1//3 or 1/2/3."""
    slashes = text.split(None, 1)[0].count(b"/")
    numbers = text.replace(b"//", b"/0/").replace(b"/", b" ")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it stops at what is no number
        found = np.fromstring(numbers, np.int64, sep=" ")
    alike = {*text.translate(None, b"-+0123456789").split()} <= {b"/" * slashes}
    if alike and len(found) == (slashes + 1) * count:
        return found[:: slashes + 1].copy()
    words = re.sub(rb"/[^\s]*", b"", text).split()  # not all have as many numbers as the first
    return np.array(words, np.bytes_).astype(np.int64)
