"""Files in the Object File Format: .off.

Decoded here, because trimesh 5.2 covers concave polygons with fans and returns what is there of a
file that ends early, and meshio 5.3 reads neither polygons nor comments.

Format: http://www.geomview.org/docs/html/OFF.html
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.headers import Lines
from ddeq.input.formats.limits import broken_mesh, cut_short, no_points
from ddeq.input.formats.meshes import check_counts, make_mesh, without_weights
from ddeq.input.formats.plain import Ragged, decode, read_numbers

# What a vertex has besides its coordinates: texture, colour, normal, weight. Some programs leave
# the keyword out, and some ModelNet files the line break behind it.
_KEYWORD = re.compile(rb"\s*(?P<kinds>(?:ST|C|N|4)*)OFF\b[ \t]*|\s*(?P<glued>OFF)(?=\d)|", re.I)
_BAD = (ValueError, IndexError, OverflowError)


def parse_off(data: bytes, name: str) -> Geometry:
    """A text file in the Object File Format; a cloud, if it has no faces.

    See `ddeq.input.formats.parse` for arguments, result and errors.
    """
    if re.match(rb"\s*\w*OFF\s+BINARY", data, re.IGNORECASE):
        raise UserError(f"'{name}' is a binary OFF file, so export it as text.")
    try:
        text = decode(data)
        if b"#" in text:
            text = re.sub(rb"#.*", b"", text)
        keyword = _KEYWORD.match(text)
        assert keyword is not None  # but it may be empty
        lines = Lines(text[keyword.end() :])
        count, faces = (int(word) for word in lines[0:1].split()[:2])
        if count < 0 or faces < 0:
            raise ValueError("negative count")
        if count == 0:
            raise no_points(name)
        check_counts(count, faces, name)
        if len(lines) < 1 + count + faces:
            raise cut_short(name, "points and faces")
        kinds = (keyword["kinds"] or b"").upper()
        points, notes = _read_vertices(lines[1 : 1 + count], b"4" in kinds)
        more: dict[str, Any] = {
            "up": "z",
            "has_colours": b"C" in kinds,
            "has_normals": b"N" in kinds,
        }
        if not faces:
            return Geometry(points, notes=notes, **more)
        corners, sizes = _read_faces(lines[1 + count : 1 + count + faces])
        return make_mesh(points, corners, sizes, name, notes=notes, **more)
    except UserError:
        raise
    except _BAD:
        raise broken_mesh(name, "OFF") from None


def _read_vertices(body: bytes, weighted: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    columns = range(4 if weighted else 3)
    table = read_numbers(body, len(columns), columns, loose=True)
    if np.isnan(table).any():
        raise Ragged("a vertex of too few numbers")
    return without_weights(table) if weighted else (table, ())


def _read_faces(body: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Corners, face after face, and how many each face has; colours may stand behind them."""
    sizes = read_numbers(body, 1, [0], loose=True)[:, 0]
    size = int(sizes[0])
    if (sizes == size).all() and 0 < size < 100:  # the usual case
        corners = read_numbers(body, size + 1, range(1, size + 1), loose=True)
        if not (corners == np.floor(corners)).all():  # NaN where there are too few
            raise ValueError("corners that are no whole numbers")
        return corners.astype(np.int64).reshape(-1), np.full(len(corners), size)
    found: list[int] = []
    for line, said in zip(body.splitlines(), sizes.tolist(), strict=True):
        words = line.split()
        if not 0 <= said < len(words) or said != int(said):
            raise ValueError("fewer corners than declared")
        found += map(int, words[1 : int(said) + 1])
    return np.array(found, np.int64), sizes.astype(np.int64)
