"""A header that describes records, then the records: .ply .pcd.

Decoded here, because Open3D 0.20 returns uninitialised memory where a body ends early or holds
words, and zeros for PCD files in double precision. Open3D serves for packed PCD files, whose
length it does check.
"""

import io
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.formats.limits import MAX_POINTS, cut_short, too_many_points
from ddeq.formats.text import AXES, read_table

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


def parse_ply(data: bytes, name: str) -> np.ndarray:
    """The vertices of a PLY file; see `ddeq.formats.parse`.

    Format: http://paulbourke.net/dataformats/ply/
    """
    header, body = _split(data, b"end_header", name)
    try:
        layout = _ply_layout(header)
    except (ValueError, LookupError):
        raise _bad_header(name, "PLY") from None
    return _decode(layout, body, name)


def parse_pcd(data: bytes, name: str) -> np.ndarray:
    """The points of a PCD file; see `ddeq.formats.parse`.

    Format: https://pointclouds.org/documentation/tutorials/pcd_file_format.html
    """
    header, body = _split(data, b"DATA", name)
    try:
        layout = _pcd_layout(header)
    except (ValueError, LookupError):
        raise _bad_header(name, "PCD") from None
    if layout.encoding == "binary_compressed":
        return _unpack_pcd(data, layout, body, name)
    return _decode(layout, body, name)


def _split(data: bytes, last: bytes, name: str) -> tuple[list[list[str]], bytes]:
    """The words of each header line, down to the line that starts with `last`; and the rest."""
    file = io.BytesIO(data)
    header = []
    while file.tell() < _MAX_HEADER and (line := file.readline(_MAX_LINE)):
        if words := line.decode("ascii", "replace").split():
            header.append(words)
        if line.split()[:1] == [last]:
            return header, data[file.tell() :]
    raise UserError(f"'{name}' has no whole header, so export the cloud again.")


def _bad_header(name: str, kind: str) -> UserError:
    return UserError(
        f"The header of '{name}' is broken or of an unusual kind, "
        f"so export the cloud again as {kind} with x, y and z."
    )


def _ply_layout(header: list[list[str]]) -> _Layout:
    """Raises ValueError or LookupError for a header that is broken or cannot be used."""
    if header[0] != ["ply"]:
        raise ValueError("no PLY file")
    [form] = [words[1] for words in header if words[0] == "format"]
    encoding, order = _PLY_ENCODINGS[form]
    elements = [i for i, words in enumerate(header) if words[0] == "element"]
    _, first, count = header[elements[0]]
    if first != "vertex":
        raise ValueError("records before the vertices could have any length")
    vertex = header[elements[0] : elements[1] if len(elements) > 1 else len(header)]
    names, dtypes = [], []
    for words in vertex:
        if words[0] == "property":
            _, kind, column = words  # a list property, of any length, has more words
            names.append(column)
            dtypes.append(np.dtype(order + _PLY_TYPES[kind]))
    return _Layout(names, dtypes, [1] * len(names), int(count), encoding)


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


def _decode(layout: _Layout, body: bytes, name: str) -> np.ndarray:
    fields = _check(layout, name)
    if layout.encoding == "ascii":
        lines = filter(bytes.strip, io.BytesIO(body))
        records = b"".join(itertools.islice(lines, layout.count))
        starts = np.cumsum([0, *layout.elements])
        points = read_table(records, name, [int(starts[field]) for field in fields])
        if len(points) != layout.count:
            raise cut_short(name)
        return points
    record = np.dtype(
        [
            (str(i), dtype, elements)
            for i, (dtype, elements) in enumerate(zip(layout.dtypes, layout.elements, strict=True))
        ]
    )
    if layout.count * record.itemsize > len(body):
        raise cut_short(name)
    records = np.frombuffer(body, record, layout.count)
    return np.stack([records[str(i)].reshape(-1) for i in fields], axis=1).astype(np.float64)


def _unpack_pcd(data: bytes, layout: _Layout, body: bytes, name: str) -> np.ndarray:
    _check(layout, name)
    record = sum(
        dtype.itemsize * elements
        for dtype, elements in zip(layout.dtypes, layout.elements, strict=True)
    )
    packed = int.from_bytes(body[:4], "little")
    unpacked = int.from_bytes(body[4:8], "little")
    if packed > len(body) - 8 or unpacked != record * layout.count:
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
