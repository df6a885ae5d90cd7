"""PLY files: a header that describes kinds of records, then the records.

Decoded here, because every library that was tried fails on some kind of file:

- plyfile 1.1 takes 8 s for a million triangles in a binary file and 38 s in a text file, where this
  takes 0.2 and 2 (it reads all of the tests' damaged files right);
- Open3D 0.20 returns uninitialised memory where a body ends early or holds words;
- trimesh 5.2 refuses binary meshes whose polygons differ in size.

Format: http://paulbourke.net/dataformats/ply/
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.columns import AXES, find_axes
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.headers import Lines, split_header
from ddeq.input.formats.limits import (
    MAX_FACES,
    MAX_POINTS,
    broken_mesh,
    cut_short,
    no_faces,
    no_points,
    too_many_faces,
    too_many_points,
)
from ddeq.input.formats.meshes import build_mesh
from ddeq.input.formats.plain import Ragged, read_numbers
from ddeq.input.formats.polygons import strip_triangles

_ENCODINGS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_CORNERS = ("vertex_indices", "vertex_index", "vertex_indexes")
_STRIPS = "tristrips"
_SPLAT = {"opacity", "scale_0", "rot_0", "f_dc_0"}  # what a Gaussian splat has, not a plain point
_FAINT = 0.5  # opacity below which a splat is no surface
_CHUNK = 100_000  # records gathered together


@dataclass(frozen=True)
class _Property:
    """A number in each record, or, with ``length``, several in a row."""

    name: str
    dtype: np.dtype
    length: np.dtype | None  # of the number that says how many follow

    @property
    def are_corners(self) -> bool:
        return self.length is not None and self.name in _CORNERS and self.dtype.kind in "iu"


@dataclass(frozen=True)
class _Element:
    """One kind of record."""

    count: int
    properties: list[_Property]

    def index(self, wanted: Callable[[_Property], bool]) -> int:
        """Of the first property like this; StopIteration where there is none."""
        return next(i for i, part in enumerate(self.properties) if wanted(part))


@dataclass(frozen=True)
class _Records:
    """Where the records of one kind are; ``end`` is where those of the next kind start."""

    element: _Element
    numbers: Callable[[list[int]], np.ndarray]  # of properties at these positions: float64 (M, P)
    lists: Callable[[int], tuple[np.ndarray, np.ndarray]]  # of one: all numbers, how many each has
    end: int


def parse_ply(data: bytes, name: str) -> Geometry:
    """The vertices of a PLY file, and its faces or strips of triangles, if any.

    See `ddeq.input.formats.parse` for arguments, result and errors.
    """
    if not data.lstrip()[:3].lower() == b"ply":
        raise UserError(
            f"'{name}' does not begin with 'ply', so it is another kind of file: name it after "
            "what it is, or export the cloud as PLY."
        )
    found = split_header(data, "end_header")
    if found is None:
        raise UserError(f"'{name}' has no whole header, so export the cloud again.")
    header, start = found
    try:
        form, elements = _elements(header)
        vertex = elements["vertex"]
    except (ValueError, LookupError):
        raise UserError(
            f"The header of '{name}' is broken or of an unusual kind, "
            "so export the cloud again as PLY with x, y and z."
        ) from None
    axes = _check(vertex, elements, name)
    try:
        records = _read(data, start, form, elements)
        points = records["vertex"].numbers(axes)
    except EOFError as error:
        raise cut_short(name, str(error) or "points") from None
    except Ragged as error:
        raise _bad_line(error.line, name) from None
    except (ValueError, LookupError, OverflowError):
        raise broken_mesh(name, "PLY") from None
    names = {part.name.lower() for part in vertex.properties}
    flags = {
        "has_colours": bool(names & {"red", "diffuse_red", "r", "rgb", "rgba"}),
        "has_normals": bool(names & {"nx", "normal_x"}),
    }
    surfaces = {kind: records[kind] for kind in ("face", _STRIPS) if kind in records}
    if not surfaces:
        return _without_faint(points, records["vertex"], names, flags)
    if points.shape[1] < 3:
        raise UserError(f"'{name}' has faces but no z for its points, so export it with x, y, z.")
    return _mesh(points, surfaces, name, flags)


def _elements(header: list[list[str]]) -> tuple[str, dict[str, _Element]]:
    """The encoding, and the kinds of records by their names, in the order of the file.

    Raises ValueError or LookupError for a header that is broken.
    """
    if [word.lower() for word in header[0]] != ["ply"]:
        raise ValueError("no PLY file")
    [form] = [words[1] for words in header if words[0] == "format"]
    order = _ENCODINGS[form]
    elements: dict[str, _Element] = {}
    properties: list[_Property] = []
    for words in header:
        if words[0] == "element":
            _, kind, count = words
            if int(count) < 0 or kind in elements:
                raise ValueError("a count below zero, or a kind of record declared twice")
            elements[kind] = _Element(int(count), properties := [])
        elif words[0] == "property":
            *types, column = words[1:]
            if types[0] == "list":
                length, item = (np.dtype(order + _TYPES[each]) for each in types[1:])
                if length.kind not in "iu":
                    raise ValueError("a fraction of a length")
                properties.append(_Property(column, item, length))
            else:
                [only] = types
                properties.append(_Property(column, np.dtype(order + _TYPES[only]), None))
    return form, elements


def _check(vertex: _Element, elements: dict[str, _Element], name: str) -> list[int]:
    """The positions of x, y (and z) among the properties, unless there are too many records."""
    plain = [part.name if part.length is None else "" for part in vertex.properties]
    axes = find_axes(plain)
    if not {"x", "y"} <= {*axes}:
        raise UserError(f"'{name}' has no x and y for each point, so export it with them.")
    if vertex.count < 1:
        raise no_points(name)
    if vertex.count > MAX_POINTS:
        raise too_many_points(name)
    if any(kind in elements and elements[kind].count > MAX_FACES for kind in ("face", _STRIPS)):
        raise too_many_faces(name)
    return [axes[axis] for axis in AXES if axis in axes]


def _read(data: bytes, start: int, form: str, elements: dict[str, _Element]) -> dict[str, _Records]:
    """The records of the vertices and of what they are joined to; EOFError where some are missing.

    Kinds of no records are left out, and kinds behind all of these are not looked at.
    """
    wanted = [kind for kind in ("vertex", "face", _STRIPS) if kind in elements]
    wanted = [kind for kind in wanted if elements[kind].count]
    lines = Lines(data[start:]) if form == "ascii" else None
    at = start if lines is None else 0
    found: dict[str, _Records] = {}
    for kind, element in elements.items():
        if {*wanted} <= {*found}:
            break
        try:
            records = (
                _from_bytes(data, at, element) if lines is None else _from_lines(lines, at, element)
            )
        except EOFError:
            raise EOFError("points" if "vertex" not in found else "faces") from None
        at = records.end
        if kind in wanted:
            found[kind] = records
    return found


# --- text -----------------------------------------------------------------------------------------


def _from_lines(lines: Lines, at: int, element: _Element) -> _Records:
    end = at + element.count
    if end > len(lines):
        raise EOFError
    body = lines[at:end]
    parts = element.properties
    leading = next((i for i, part in enumerate(parts) if part.length is not None), len(parts))

    def numbers(wanted: list[int]) -> np.ndarray:
        if max(wanted) >= leading:  # behind a list, so at another place in each line
            columns = [[items[0] for items in _words(body, parts, i)] for i in wanted]
            return np.array(columns, np.float64).T
        table = read_numbers(body, leading, wanted, loose=leading < len(parts))
        if np.isnan(table).any():
            raise EOFError
        return table

    def lists(i: int) -> tuple[np.ndarray, np.ndarray]:
        if len(parts) == 1 and (alike := _alike_lines(body)) is not None:
            return alike
        sizes: list[int] = []
        items: list[int] = []
        for found in _words(body, parts, i):
            sizes.append(len(found))
            items += map(int, found)
        return np.array(items, np.int64), np.array(sizes, np.int64)

    return _Records(element, numbers, lists, end)


def _alike_lines(body: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """Lists of one length, one a line: the usual case; None if they differ."""
    width = len(body.partition(b"\n")[0].split())
    if width < 2:
        return None
    try:
        table = read_numbers(body, width, range(width))
    except Ragged:
        return None
    if not (table[:, 0] == width - 1).all() or (table != np.floor(table)).any():
        return None
    corners = table[:, 1:].astype(np.int64)
    return corners.reshape(-1), np.full(len(corners), width - 1)


def _words(body: bytes, parts: list[_Property], wanted: int) -> list[list[float]]:
    """The numbers of one property in each line."""
    found = []
    for line in body.splitlines():
        words, at = line.split(), 0
        for i, part in enumerate(parts):
            size = 1
            if part.length is not None:
                if at >= len(words):
                    raise EOFError
                size, at = int(words[at]), at + 1
            if size < 0 or at + size > len(words):
                raise EOFError
            if i == wanted:
                found.append([float(word) for word in words[at : at + size]])
                break
            at += size
    return found


# --- bytes ----------------------------------------------------------------------------------------


def _from_bytes(data: bytes, at: int, element: _Element) -> _Records:
    """Fields of fixed places where all records are alike, else places found one by one."""
    parts = element.properties
    if not parts or not element.count:
        return _Records(element, lambda wanted: np.zeros((0, len(wanted))), _no_list, at)
    record = _alike_records(data, at, element)
    if record is not None:
        table = np.frombuffer(data, record, element.count, at)

        def lists(i: int) -> tuple[np.ndarray, np.ndarray]:
            items = table[f"items {i}"].astype(np.int64)
            return items.reshape(-1), np.full(element.count, items.shape[1], np.int64)

        return _Records(element, lambda wanted: _columns(table, wanted), lists, at + table.nbytes)
    begins, sizes, end = _walk(data, at, element)

    def gathered(i: int) -> np.ndarray:
        return _gather(data, begins[i], sizes[i], parts[i].dtype)

    return _Records(
        element,
        lambda wanted: np.stack([gathered(i) for i in wanted], axis=1).astype(np.float64),
        lambda i: (gathered(i).astype(np.int64), sizes[i]),
        end,
    )


def _columns(table: np.ndarray, wanted: list[int]) -> np.ndarray:
    points = np.empty((len(table), len(wanted)))
    for column, i in enumerate(wanted):
        points[:, column] = table[f"items {i}"][:, 0]
    return points


def _no_list(wanted: int) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64)


def _alike_records(data: bytes, at: int, element: _Element) -> np.dtype | None:
    """Of a record, if all have lists as long as the first; EOFError if not even that is there."""
    first = _Element(1, element.properties)
    _, sizes, _ = _walk(data, at, first)
    fields: list[Any] = []
    for i, (part, size) in enumerate(zip(element.properties, sizes, strict=True)):
        fields += [(f"length {i}", part.length)] if part.length is not None else []
        fields.append((f"items {i}", part.dtype, (int(size[0]),)))
    record = np.dtype(fields)
    listed = [i for i, part in enumerate(element.properties) if part.length is not None]
    if at + element.count * record.itemsize > len(data):
        if listed:
            return None
        raise EOFError
    table = np.frombuffer(data, record, element.count, at)
    return record if all((table[f"length {i}"] == sizes[i][0]).all() for i in listed) else None


def _walk(
    data: bytes, at: int, element: _Element
) -> tuple[list[np.ndarray], list[np.ndarray], int]:
    """Where each property of each record starts, how many numbers it has; the end of them all."""
    steps = [
        (
            part.dtype.itemsize,
            None if part.length is None else struct.Struct(_code(part.length)),
        )
        for part in element.properties
    ]
    places: list[int] = []
    counts: list[int] = []
    try:
        for _ in range(element.count):
            for width, length in steps:
                size = 1
                if length is not None:
                    [size] = length.unpack_from(data, at)
                    at += length.size
                    if size < 0:
                        raise EOFError
                places.append(at)
                counts.append(size)
                at += size * width
    except struct.error:
        raise EOFError from None
    if at > len(data):
        raise EOFError
    shape = (element.count, len(steps))
    return (
        list(np.array(places, np.int64).reshape(shape).T),
        list(np.array(counts, np.int64).reshape(shape).T),
        at,
    )


def _code(dtype: np.dtype) -> str:
    """Of a whole number, as `struct` writes it."""
    letter = {1: "b", 2: "h", 4: "i"}[dtype.itemsize]
    order = ">" if dtype.str[0] == ">" else "<"
    return order + (letter.upper() if dtype.kind == "u" else letter)


def _gather(data: bytes, begins: np.ndarray, sizes: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Numbers in rows of ``sizes`` that begin at these bytes, one row after another."""
    octets = np.frombuffer(data, np.uint8)
    starts = np.cumsum(sizes) - sizes
    found = np.empty(int(sizes.sum()), dtype)
    for size in np.unique(sizes[sizes > 0]):
        alike = np.flatnonzero(sizes == size)
        for rows in np.split(alike, range(_CHUNK, len(alike), _CHUNK)):
            span = np.arange(size * dtype.itemsize)
            taken = octets[begins[rows, None] + span].view(dtype)  # (rows,size)
            found[starts[rows, None] + np.arange(size)] = taken
    return found


# --- what is made of them -------------------------------------------------------------------------


def _mesh(
    points: np.ndarray, surfaces: dict[str, _Records], name: str, flags: dict[str, Any]
) -> Geometry:
    corners, sizes = np.zeros(0, np.int64), np.zeros(0, np.int64)
    triangles = np.zeros((0, 3), np.int64)
    try:
        for kind, records in surfaces.items():
            which = records.element.index(lambda part: part.are_corners)
            if kind == _STRIPS:
                triangles = strip_triangles(*records.lists(which))
            else:
                corners, sizes = records.lists(which)
        if len(triangles) and not (triangles.min() >= 0 and triangles.max() < len(points)):
            raise IndexError("a corner that is no vertex")
        polygons, faces, notes = build_mesh(points, corners, sizes)
    except EOFError:
        raise cut_short(name, "faces") from None
    except Ragged as error:
        raise _bad_line(error.line, name) from None
    except (ValueError, LookupError, OverflowError, StopIteration):
        raise broken_mesh(name, "PLY") from None
    triangles = np.concatenate([polygons, triangles])
    if not len(triangles):
        raise no_faces(name)
    if len(triangles) > MAX_FACES:
        raise too_many_faces(name)
    faces += len(triangles) - len(polygons)
    return Geometry(points, triangles, faces, up="z", notes=notes, **flags)


def _without_faint(
    points: np.ndarray, vertices: _Records, names: set[str], flags: dict[str, Any]
) -> Geometry:
    """The cloud; of one of Gaussian splats those that one can see."""
    if not names >= _SPLAT:
        return Geometry(points, **flags)
    which = vertices.element.index(lambda part: part.name.lower() == "opacity")
    with np.errstate(over="ignore"):
        opacity = 1 / (1 + np.exp(-vertices.numbers([which])[:, 0]))
    seen = opacity >= _FAINT
    if not seen.any():
        return Geometry(points, **flags)
    note = f"{len(seen) - int(seen.sum()):,} of {len(seen):,} splats are faint and are left out."
    return Geometry(points[seen], notes=(note,) * (not seen.all()), **flags)


def _bad_line(line: str, name: str) -> UserError:
    return UserError(
        f"The line '{' '.join(line.split())[:40]}' of '{name}' is not as its header says, "
        "so correct it or export the file again."
    )
