"""A header that describes records, then the records: .ply .pcd.

Decoded here, because every library that was tried fails on some kind of file:

- plyfile 1.1 takes 8 s for a million triangles in a binary PLY file and 38 s in a text file, where
  this takes 0.2 and 5 (it reads all of the tests' damaged files right);
- Open3D 0.20 returns uninitialised memory where a body ends early or holds words, and zeros for PCD
  files in double precision;
- trimesh 5.2 refuses binary PLY meshes whose polygons differ in size;
- pypcd4 1.5 returns the first points of a text PCD file that ends early, and hangs where a header
  declares fields of a billion numbers.

Open3D serves for packed PCD files, whose length it does check.
"""

from __future__ import annotations

import io
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.columns import AXES
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
from ddeq.input.formats.meshes import build_mesh
from ddeq.input.formats.plain import Ragged, read_numbers

_MAX_HEADER = 65_536  # bytes
_MAX_LINE = 4_096  # bytes
_MAX_ELEMENTS = 1_024  # of one field of a PCD record

_PLY_ENCODINGS = {
    "ascii": ("ascii", "="),
    "binary_little_endian": ("binary", "<"),
    "binary_big_endian": ("binary", ">"),
}
_PLY_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"),
    **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"),
    **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"),
    **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"),
    **dict.fromkeys(("double", "float64"), "f8"),
}
_CORNERS = ("vertex_indices", "vertex_index")
_PCD_ENCODINGS = ("ascii", "binary", "binary_compressed")
_PCD_TYPES = ("F4", "F8", "I1", "I2", "I4", "I8", "U1", "U2", "U4", "U8")


@dataclass(frozen=True)
class _Layout:
    """What a header says about the records below it."""

    names: list[str]
    dtypes: list[np.dtype]
    elements: list[int]  # how many numbers each field has
    count: int  # records
    encoding: str  # "ascii", "binary" or "binary_compressed"

    @property
    def record(self) -> np.dtype:
        """Of a binary record; its fields are called by their positions."""
        fields = zip(self.dtypes, self.elements, strict=True)
        return np.dtype([(str(i), dtype, count) for i, (dtype, count) in enumerate(fields)])


@dataclass(frozen=True)
class _Property:
    """A number in each record of a PLY file, or, with ``length``, several in a row."""

    name: str
    dtype: np.dtype
    length: np.dtype | None  # of the number that says how many follow

    @property
    def is_list(self) -> bool:
        return self.length is not None

    @property
    def are_corners(self) -> bool:
        return self.is_list and self.name in _CORNERS and self.dtype.kind in "iu"


@dataclass(frozen=True)
class _Element:
    """One kind of record of a PLY file."""

    count: int
    properties: list[_Property]
    encoding: str


@dataclass(frozen=True)
class _Faces:
    """What a PLY header says about the records of the faces, and those between."""

    count: int
    properties: list[_Property]
    between: list[_Layout]  # of other records, after the vertices and before the faces


def parse_ply(data: bytes, name: str) -> Geometry:
    """The vertices of a PLY file, and its faces, if any; see `ddeq.input.formats.parse`.

    Format: http://paulbourke.net/dataformats/ply/
    """
    header, start = _split(data, b"end_header", name)
    try:
        elements = _ply_elements(header)
        layout, faces = _vertex_layout(elements), _face_layout(elements)
    except (ValueError, LookupError):
        raise _bad_header(name, "PLY") from None
    points = _decode(layout, data, start, name)
    flags = _flags(layout)
    if faces is None:
        return Geometry(points, **flags)
    if faces.count > MAX_FACES:
        raise too_many_faces(name)
    if points.shape[1] < 3:
        raise UserError(f"'{name}' has faces but no z for its points, so export it with x, y, z.")
    try:
        if layout.encoding == "ascii":
            skipped = layout.count + sum(other.count for other in faces.between)
            corners, sizes = _face_lines(faces, data, start, skipped)
        else:
            fixed = [layout, *faces.between]
            begin = start + sum(part.count * part.record.itemsize for part in fixed)
            corners, sizes = _face_records(faces, data, begin)
        triangles, count, notes = build_mesh(points, corners, sizes)
    except EOFError:
        raise cut_short(name, "faces") from None
    except (ValueError, LookupError, OverflowError):
        raise broken_mesh(name, "PLY") from None
    if not count:
        raise no_faces(name)
    return Geometry(points, triangles, count, up="z", notes=notes, **flags)


def parse_pcd(data: bytes, name: str) -> Geometry:
    """The points of a PCD file; see `ddeq.input.formats.parse`.

    Format: https://pointclouds.org/documentation/tutorials/pcd_file_format.html
    """
    header, start = _split(data, b"DATA", name)
    try:
        layout = _pcd_layout(header)
    except (ValueError, LookupError):
        raise _bad_header(name, "PCD") from None
    if layout.encoding == "binary_compressed":
        points = _unpack_pcd(data, layout, start, name)
    else:
        points = _decode(layout, data, start, name)
    return Geometry(points, **_flags(layout))


def _flags(layout: _Layout) -> dict[str, bool]:
    """What the fields besides the coordinates are, by the names that programs give them."""
    names = set(layout.names)
    return {
        "has_colours": bool(names & {"red", "diffuse_red", "r", "rgb", "rgba"}),
        "has_normals": bool(names & {"nx", "normal_x"}),
    }


def _split(data: bytes, last: bytes, name: str) -> tuple[list[list[str]], int]:
    """The words of each header line, down to the line that starts with ``last``; its end."""
    file = io.BytesIO(data)
    header = []
    while file.tell() < _MAX_HEADER and (line := file.readline(_MAX_LINE)):
        if words := line.decode("ascii", "replace").split():
            header.append(words)
        if line.split()[:1] == [last]:
            return header, file.tell()
    raise UserError(f"'{name}' has no whole header, so export the cloud again.")


def _bad_header(name: str, kind: str) -> UserError:
    return UserError(
        f"The header of '{name}' is broken or of an unusual kind, "
        f"so export the cloud again as {kind} with x, y and z."
    )


def _ply_elements(header: list[list[str]]) -> dict[str, _Element]:
    """The kinds of records by their names, in the order of the file.

    Raises ValueError or LookupError for a header that is broken.
    """
    if header[0] != ["ply"]:
        raise ValueError("no PLY file")
    [form] = [words[1] for words in header if words[0] == "format"]
    encoding, order = _PLY_ENCODINGS[form]
    elements: dict[str, _Element] = {}
    properties: list[_Property] = []
    for words in header:
        if words[0] == "element":
            _, kind, count = words
            if int(count) < 0 or kind in elements:
                raise ValueError("a count below zero, or a kind of record declared twice")
            elements[kind] = _Element(int(count), properties := [], encoding)
        elif words[0] == "property":
            *types, column = words[1:]
            if types[0] == "list":
                _, length, item = (types[0], *(_ply_type(kind, order) for kind in types[1:]))
                if length.kind not in "iu":
                    raise ValueError("a fraction of a length")
                properties.append(_Property(column, item, length))
            else:
                [item] = types
                properties.append(_Property(column, _ply_type(item, order), None))
    return elements


def _ply_type(kind: str, order: str) -> np.dtype:
    return np.dtype(order + _PLY_TYPES[kind])


def _fixed_layout(element: _Element) -> _Layout:
    """Raises ValueError where the records have lists, which could have any length."""
    if any(part.is_list for part in element.properties):
        raise ValueError("records of any length")
    names = [part.name for part in element.properties]
    dtypes = [part.dtype for part in element.properties]
    return _Layout(names, dtypes, [1] * len(names), element.count, element.encoding)


def _vertex_layout(elements: dict[str, _Element]) -> _Layout:
    if list(elements)[:1] != ["vertex"]:
        raise ValueError("records before the vertices could have any length")
    return _fixed_layout(elements["vertex"])


def _face_layout(elements: dict[str, _Element]) -> _Faces | None:
    """None for a cloud: where no faces are declared, or none of them."""
    face = elements.get("face")
    if face is None or not face.count:
        return None
    if not any(part.are_corners for part in face.properties):
        raise ValueError("faces without corners")
    kinds = list(elements)
    between = [_fixed_layout(elements[kind]) for kind in kinds[1 : kinds.index("face")]]
    return _Faces(face.count, face.properties, between)


def _face_lines(
    faces: _Faces, data: bytes, start: int, skipped: int
) -> tuple[np.ndarray, np.ndarray]:
    """Corners, one face after another, and how many each has; EOFError where lines are missing."""
    file = io.BytesIO(data)
    file.seek(start)
    lines = itertools.islice(filter(bytes.strip, file), skipped, skipped + faces.count)
    corners, sizes = [], []
    for line in lines:
        words, at = line.split(), 0
        for part in faces.properties:
            size = int(words[at]) if part.is_list else 1
            at += part.is_list
            if size < 0 or at + size > len(words):
                raise EOFError
            if part.are_corners:
                corners += map(int, words[at : at + size])
                sizes.append(size)
            at += size
    if len(sizes) < faces.count:
        raise EOFError
    return np.array(corners, np.int64), np.array(sizes, np.int64)


def _face_records(faces: _Faces, data: bytes, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Like `_face_lines`, of a binary file whose first face starts at byte ``start``."""
    which = next(i for i, part in enumerate(faces.properties) if part.are_corners)
    spans, _ = _spans(faces, data, start)
    fields = []
    for i, (part, (_, size)) in enumerate(zip(faces.properties, spans, strict=True)):
        fields += [(f"length {i}", part.length)] if part.is_list else []
        fields.append((f"items {i}", part.dtype, (size,)))
    alike = np.dtype(fields)  # the usual case: all triangles, or all quads
    if start + faces.count * alike.itemsize <= len(data):
        records = np.frombuffer(data, alike, faces.count, start)
        if all(
            (records[f"length {i}"] == spans[i][1]).all()
            for i, part in enumerate(faces.properties)
            if part.is_list
        ):
            corners = records[f"items {which}"].astype(np.int64)
            return corners.reshape(-1), np.full(faces.count, corners.shape[1], np.int64)
    corners, sizes, at = [], [], start
    for _ in range(faces.count):
        spans, end = _spans(faces, data, at)
        begin, size = spans[which]
        corners.append(data[begin : begin + size * faces.properties[which].dtype.itemsize])
        sizes.append(size)
        at = end
    numbers = np.frombuffer(b"".join(corners), faces.properties[which].dtype)
    return numbers.astype(np.int64), np.array(sizes, np.int64)


def _spans(faces: _Faces, data: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    """Where the numbers of each property of one face start and how many there are; its end.

    Raises EOFError where the file ends before.
    """
    spans = []
    for part in faces.properties:
        size = 1
        if part.is_list:
            begin, at = at, at + part.length.itemsize
            order = "big" if part.length.str[0] == ">" else "little"
            size = int.from_bytes(data[begin:at], order, signed=part.length.kind == "i")
        spans.append((at, size))
        at += size * part.dtype.itemsize
        if size < 0 or at > len(data):
            raise EOFError
    return spans, at


def _pcd_layout(header: list[list[str]]) -> _Layout:
    """Raises ValueError or LookupError for a header that is broken or cannot be used."""
    fields = {words[0]: words[1:] for words in header}
    names = fields["FIELDS"]
    kinds = [kind + size for kind, size in zip(fields["TYPE"], fields["SIZE"], strict=True)]
    elements = [int(count) for count in fields.get("COUNT", ["1"] * len(names))]
    if not len(names) == len(kinds) == len(elements):
        raise ValueError("fields without a type")
    if not all(kind in _PCD_TYPES for kind in kinds):
        raise ValueError("unknown type")
    if not all(1 <= count <= _MAX_ELEMENTS for count in elements):
        raise ValueError("fields of unusual length")
    [encoding] = fields["DATA"]
    if encoding not in _PCD_ENCODINGS:
        raise ValueError("unknown encoding")
    dtypes = [np.dtype("<" + kind.lower()) for kind in kinds]
    return _Layout(names, dtypes, elements, int(fields["POINTS"][0]), encoding)


def _check(layout: _Layout, name: str) -> list[int]:
    """The positions of the fields x, y (and z) in a record."""
    axes = [axis for axis in AXES if axis in layout.names]
    fields = [layout.names.index(axis) for axis in axes]
    if axes[:2] != ["x", "y"] or any(layout.elements[field] != 1 for field in fields):
        raise UserError(f"'{name}' has no x and y for each point, so export it with them.")
    if layout.count < 1:
        raise UserError(f"'{name}' holds no points, so export a cloud that has some.")
    if layout.count > MAX_POINTS:
        raise too_many_points(name)
    return fields


def _decode(layout: _Layout, data: bytes, start: int, name: str) -> np.ndarray:
    """The coordinates (M, 2 or 3) of the records that begin at byte ``start``."""
    fields = _check(layout, name)
    if layout.encoding == "ascii":
        file = io.BytesIO(data)
        file.seek(start)
        records = b"".join(itertools.islice(filter(bytes.strip, file), layout.count))
        starts = np.cumsum([0, *layout.elements])
        try:
            wanted = [int(starts[field]) for field in fields]
            points = read_numbers(records, int(starts[-1]), wanted)
        except Ragged as error:
            raise UserError(
                f"The line '{error.line[:40]}' of '{name}' is not as its header says, "
                "so correct or remove it."
            ) from None
        if len(points) != layout.count:
            raise cut_short(name)
        return points
    if start + layout.count * layout.record.itemsize > len(data):
        raise cut_short(name)
    records = np.frombuffer(data, layout.record, layout.count, start)
    points = np.empty((layout.count, len(fields)))
    for column, field in enumerate(fields):
        points[:, column] = records[str(field)].reshape(-1)
    return points


def _unpack_pcd(data: bytes, layout: _Layout, start: int, name: str) -> np.ndarray:
    _check(layout, name)
    packed = int.from_bytes(data[start : start + 4], "little")
    unpacked = int.from_bytes(data[start + 4 : start + 8], "little")
    if start + 8 + packed > len(data) or unpacked != layout.record.itemsize * layout.count:
        raise cut_short(name)
    import open3d as o3d  # slow to import, and few files need it

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cloud.pcd")
        path.write_bytes(data)
        with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
            cloud = o3d.t.io.read_point_cloud(path)
    if "positions" not in cloud.point or len(cloud.point.positions) != layout.count:
        raise cut_short(name)
    return cloud.point.positions.numpy().astype(np.float64)
