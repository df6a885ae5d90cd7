"""PCD files: a header that describes the fields of a point, then the points.

Decoded here, because every library that was tried fails on some kind of file: Open3D 0.20 returns
zeros for text in double precision and uninitialised memory where a body ends early; pypcd4 1.5
returns the first points of a text file that ends early, hangs where a header declares fields of a
billion numbers, and refuses fields of none. Open3D serves for packed files, whose length it checks.

Format: https://pointclouds.org/documentation/tutorials/pcd_file_format.html
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.columns import AXES, find_axes
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.headers import Lines, split_header
from ddeq.input.formats.limits import MAX_POINTS, cut_short, no_points, too_many_points
from ddeq.input.formats.plain import Ragged, read_numbers

_MAX_ELEMENTS = 1_024  # of one field of a point
_ENCODINGS = ("ascii", "binary", "binary_compressed")
_TYPES = ("F4", "F8", "I1", "I2", "I4", "I8", "U1", "U2", "U4", "U8")


@dataclass(frozen=True)
class _Layout:
    """What a header says about the points below it."""

    names: list[str]
    dtypes: list[np.dtype]
    elements: list[int]  # how many numbers each field has, at least one
    count: int  # points
    encoding: str  # one of `_ENCODINGS`

    @property
    def record(self) -> np.dtype:
        """Of a binary point; its fields are called by their positions."""
        fields = zip(self.dtypes, self.elements, strict=True)
        return np.dtype([(str(i), dtype, count) for i, (dtype, count) in enumerate(fields)])


def parse_pcd(data: bytes, name: str) -> Geometry:
    """The points of a PCD file; see `ddeq.input.formats.parse`."""
    found = split_header(data, "DATA")
    if found is None:
        raise UserError(f"'{name}' has no whole header, so export the cloud again.")
    header, start = found
    try:
        layout = _layout(header)
    except (ValueError, LookupError):
        raise UserError(
            f"The header of '{name}' is broken or of an unusual kind, "
            "so export the cloud again as PCD with x, y and z."
        ) from None
    axes = find_axes(layout.names)
    fields = [axes[axis] for axis in AXES if axis in axes]
    if not {"x", "y"} <= {*axes} or any(layout.elements[field] != 1 for field in fields):
        raise UserError(f"'{name}' has no x and y for each point, so export it with them.")
    if layout.count < 1:
        raise no_points(name)
    if layout.count > MAX_POINTS:
        raise too_many_points(name)
    read = {"ascii": _from_lines, "binary": _from_bytes, "binary_compressed": _unpack}
    names = {field.lower() for field in layout.names}
    return Geometry(
        read[layout.encoding](data, layout, fields, start, name),
        has_colours=bool(names & {"rgb", "rgba", "red", "r"}),
        has_normals=bool(names & {"nx", "normal_x"}),
    )


def _layout(header: list[list[str]]) -> _Layout:
    """Raises ValueError or LookupError for a header that is broken or cannot be used."""
    said = {words[0]: words[1:] for words in header}
    names = said.get("FIELDS") or said["COLUMNS"]  # as versions before 0.6 call them
    kinds = [kind + size for kind, size in zip(said["TYPE"], said["SIZE"], strict=True)]
    elements = [int(count) for count in said.get("COUNT", ["1"] * len(names))]
    if not len(names) == len(kinds) == len(elements):
        raise ValueError("fields without a type")
    if not all(kind in _TYPES for kind in kinds):
        raise ValueError("unknown type")
    if not all(0 <= count <= _MAX_ELEMENTS for count in elements):
        raise ValueError("fields of unusual length")
    [encoding] = said["DATA"]
    if encoding not in _ENCODINGS:
        raise ValueError("unknown encoding")
    if "POINTS" in said:
        count = int(said["POINTS"][0])
    else:
        count = int(said["WIDTH"][0]) * int(said.get("HEIGHT", ["1"])[0])
    there = [i for i, size in enumerate(elements) if size]  # fields of no numbers take no room
    return _Layout(
        [names[i] for i in there],
        [np.dtype("<" + kinds[i].lower()) for i in there],
        [elements[i] for i in there],
        count,
        encoding,
    )


def _from_lines(
    data: bytes, layout: _Layout, fields: list[int], start: int, name: str
) -> np.ndarray:
    """The coordinates (M, 2 or 3) of the points that begin at byte ``start``, here and below."""
    lines = Lines(data[start:])
    if len(lines) < layout.count:
        raise cut_short(name)
    starts = np.cumsum([0, *layout.elements]).tolist()
    try:
        points = read_numbers(
            lines[0 : layout.count], starts[-1], [starts[field] for field in fields]
        )
    except Ragged as error:
        raise UserError(
            f"The line '{' '.join(error.line.split())[:40]}' of '{name}' is not as its header "
            "says, so correct it or export the cloud again."
        ) from None
    if np.isnan(points).any():
        raise cut_short(name)
    return points


def _from_bytes(
    data: bytes, layout: _Layout, fields: list[int], start: int, name: str
) -> np.ndarray:
    if start + layout.count * layout.record.itemsize > len(data):
        raise cut_short(name)
    records = np.frombuffer(data, layout.record, layout.count, start)
    points = np.empty((layout.count, len(fields)))
    for column, field in enumerate(fields):
        points[:, column] = records[str(field)].reshape(-1)
    return points


def _unpack(data: bytes, layout: _Layout, fields: list[int], start: int, name: str) -> np.ndarray:
    """By Open3D, which is given the fields under the names that it knows."""
    packed = int.from_bytes(data[start : start + 4], "little")
    unpacked = int.from_bytes(data[start + 4 : start + 8], "little")
    if start + 8 + packed > len(data) or unpacked != layout.record.itemsize * layout.count:
        raise cut_short(name)
    import open3d as o3d  # slow to import, and few files need it

    names = [f"field{i}" for i in range(len(layout.names))]
    for axis, field in zip(AXES, fields, strict=False):
        names[field] = axis
    header = [
        "VERSION 0.7",
        f"FIELDS {' '.join(names)}",
        f"SIZE {' '.join(str(dtype.itemsize) for dtype in layout.dtypes)}",
        f"TYPE {' '.join(dtype.kind.upper() for dtype in layout.dtypes)}",
        f"COUNT {' '.join(map(str, layout.elements))}",
        f"WIDTH {layout.count}",
        "HEIGHT 1",
        f"POINTS {layout.count}",
        "DATA binary_compressed\n",
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cloud.pcd")
        path.write_bytes("\n".join(header).encode() + data[start : start + 8 + packed])
        with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
            cloud = o3d.t.io.read_point_cloud(path)
    if "positions" not in cloud.point or len(cloud.point.positions) != layout.count:
        raise cut_short(name)
    return cloud.point.positions.numpy().astype(np.float64)
