"""Meshes in plain text or fixed records: .obj .off .stl.

Decoded here, because every library that was tried fails on some kind of file:

- tinyobjloader 2.0rc13 reads NaN and a coordinate that is missing as 0, keeps corners that are no
  vertices, and refuses faces on two lines or with a comment behind them;
- trimesh 5.2 covers concave polygons with fans, which also cover what lies outside of them, reads
  a corner 0, returns what is there of an OFF file that ends early, and refuses STL files with
  bytes behind their end or text without `endsolid`;
- numpy-stl 4.1 returns what is there of an STL file that ends early or declares too many triangles,
  and drops all but the first solid;
- meshio 5.3 reads neither polygons nor comments in OFF files.

Lines of any kind that give no surface are skipped.
"""

from __future__ import annotations

import itertools
import re

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import (
    MAX_FACES,
    MAX_POINTS,
    broken_mesh,
    cut_short,
    no_faces,
    too_many_faces,
    too_many_points,
)
from ddeq.input.formats.polygons import triangulate

_BAD = (ValueError, IndexError, OverflowError)

_STL_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_STL_HEADER = 84  # bytes: free text, then the number of records
_STL_VERTEX = re.compile(rb"^\s*vertex\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_OFF_KEYWORD = re.compile(rb"\s*(ST)?(C)?(N)?OFF\b", re.IGNORECASE)
_GLUED_OFF = re.compile(rb"\s*OFF(?=\d)")  # some ModelNet files lack the line break


def parse_obj(data: bytes, name: str) -> Geometry:
    """A Wavefront OBJ file: its faces, whatever objects, groups and materials they belong to.

    See `ddeq.input.formats.parse` for arguments, result and errors, here and below.
    Format: https://paulbourke.net/dataformats/obj/
    """
    lines = [line.strip() for line in re.sub(rb"\\\r?\n", b" ", data).splitlines()]
    vertices = [line for line in lines if line.startswith((b"v ", b"v\t"))]
    faces = [line for line in lines if line.startswith((b"f ", b"f\t"))]
    if not faces:
        raise no_faces(name)
    _check_counts(len(vertices), len(faces), name)
    try:
        points = _read_rows(vertices, (1, 2, 3))
        # One pass after the other, as lists of words would take far more memory than the file.
        sizes = np.fromiter((len(line.split()) - 1 for line in faces), np.int64, len(faces))
        words = (word for line in faces for word in line.split()[1:])
        corners = np.fromiter((int(word.partition(b"/")[0]) for word in words), np.int64)
        if (corners < 0).any():  # counted back from the last vertex above the face
            above = np.cumsum([line.startswith((b"v ", b"v\t")) for line in lines])
            rows = [i for i, line in enumerate(lines) if line.startswith((b"f ", b"f\t"))]
            back = np.repeat(above[rows], sizes)
            corners = np.where(corners < 0, back + corners + 1, corners)
        return _mesh(
            points,
            corners - 1,
            sizes,
            name,
            up="y",
            has_colours=len(vertices[0].split()) >= 7,
            has_normals=any(line.startswith(b"vn") for line in lines),
            objects=sum(line.startswith((b"o ", b"o\t")) for line in lines),
        )
    except UserError:
        raise
    except _BAD:
        raise broken_mesh(name, "OBJ") from None


def parse_off(data: bytes, name: str) -> Geometry:
    """A text file in the Object File Format, with or without colours and normals.

    Format: http://www.geomview.org/docs/html/OFF.html
    """
    text = _GLUED_OFF.sub(b"OFF\n", re.sub(rb"#[^\n\r]*", b"", data), count=1)
    lines = [line for line in map(bytes.strip, text.splitlines()) if line]
    keyword = _OFF_KEYWORD.fullmatch(lines[0]) if lines else None
    try:
        if not keyword:
            raise ValueError("not OFF")
        count, faces = (int(word) for word in lines[1].split()[:2])
        if count < 0 or faces < 0:
            raise ValueError("negative count")
        if faces == 0:
            raise no_faces(name)
        _check_counts(count, faces, name)
        if len(lines) < 2 + count + faces:
            raise cut_short(name, "points and faces")
        points = _read_rows(lines[2 : 2 + count], (0, 1, 2))
        sizes, corners = [], []
        for line in lines[2 + count : 2 + count + faces]:
            size, *words = line.split()
            sizes.append(int(size))
            if not 0 <= sizes[-1] <= len(words):
                raise ValueError("fewer corners than declared")
            corners += map(int, words[: sizes[-1]])
        return _mesh(
            points,
            np.array(corners, np.int64),
            np.array(sizes, np.int64),
            name,
            up="z",
            has_colours=bool(keyword[2]),
            has_normals=bool(keyword[3]),
        )
    except UserError:
        raise
    except _BAD:
        raise broken_mesh(name, "OFF") from None


def parse_stl(data: bytes, name: str) -> Geometry:
    """A stereolithography file, binary or text; the corners of each triangle are its own.

    Format: https://paulbourke.net/dataformats/stl/
    """
    count = int.from_bytes(data[80:_STL_HEADER], "little")
    size = _STL_HEADER + count * _STL_RECORD.itemsize
    # Some programs begin binary files with "solid" as well: then the length decides.
    if data.lstrip()[:5].lower() == b"solid" and len(data) != size:
        corners, objects = _read_stl_text(data, name)
    elif len(data) < _STL_HEADER:
        raise broken_mesh(name, "STL")
    elif count > MAX_FACES:
        raise too_many_faces(name)
    elif len(data) < size:
        raise cut_short(name, "triangles")
    else:
        corners = np.frombuffer(data, _STL_RECORD, count, _STL_HEADER)["corners"].reshape(-1, 3)
        objects = 1
    if len(corners) == 0:
        raise no_faces(name)
    points = corners.astype(np.float64)
    triangles = np.arange(len(points)).reshape(-1, 3)
    return Geometry(points, triangles, len(triangles), up="z", notes=joined(objects))


def _read_stl_text(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """Corners (3 F, 3) and the number of solids."""
    lower = data.lower()
    solids, facets = lower.count(b"endsolid"), lower.count(b"endfacet")
    if not lower.rstrip().rpartition(b"\n")[2].lstrip().startswith(b"endsolid"):
        raise cut_short(name, "triangles")
    if facets > MAX_FACES:
        raise too_many_faces(name)
    try:
        words = itertools.chain.from_iterable(_STL_VERTEX.findall(data))
        corners = np.fromiter(map(float, words), np.float64).reshape(-1, 3)
    except ValueError:
        raise broken_mesh(name, "STL") from None
    if len(corners) != 3 * facets:
        raise broken_mesh(name, "STL")
    return corners, solids


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


def _mesh(
    points: np.ndarray,
    corners: np.ndarray,
    sizes: np.ndarray,
    name: str,
    up: str,
    has_colours: bool,
    has_normals: bool,
    objects: int = 1,
) -> Geometry:
    triangles, faces, notes = build_mesh(points, corners, sizes)
    if not faces:
        raise no_faces(name)
    return Geometry(
        points,
        triangles,
        faces,
        up=up,
        has_colours=has_colours,
        has_normals=has_normals,
        notes=joined(objects) + notes,
    )


def _check_counts(points: int, faces: int, name: str) -> None:
    if points > MAX_POINTS:
        raise too_many_points(name)
    if faces > MAX_FACES:
        raise too_many_faces(name)


def _read_rows(lines: list[bytes], columns: tuple[int, ...]) -> np.ndarray:
    """Numbers in these columns of lines of words: float64 (M, columns)."""
    if not lines:
        return np.zeros((0, len(columns)))
    return np.loadtxt(lines, usecols=columns, comments=None, ndmin=2, encoding="latin-1")
