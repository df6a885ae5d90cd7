"""Laser scans: .las .laz, read by laspy.

Format: https://www.asprs.org/divisions-committees/lidar-division/laser-las-file-format-exchange-activities
"""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, cut_short, no_points, too_many_points

if TYPE_CHECKING:
    import laspy

_RECORD_HEADER, _LONG_RECORD_HEADER = 54, 60  # bytes of a record of metadata, without its content
_DENSEST = 1_000  # points a byte that packing could make, were all of them alike
_PACKED_AT = 104  # byte that tells, by its highest bit, whether the points are packed
_SIZE_1_4 = 375  # bytes of a header of version 1.4
_LINEAR_UNITS_KEY = 3076  # of the GeoTIFF keys
_GEOGRAPHIC = 2  # the model type with degrees, under _MODEL_TYPE_KEY
_MODEL_TYPE_KEY = 1024
_EPSG_UNITS = {9001: "m", 9002: "ft", 9003: "US survey ft"}
_WKT_UNIT = re.compile(r'\b(?:LENGTH)?UNIT\["([^"]{1,40})"')


def parse_las(data: bytes, name: str) -> Geometry:
    """Points of a LAS or LAZ file, scaled and offset as its header says; see `parse`."""
    import laspy

    _check_signposts(data, name)
    try:
        with laspy.open(io.BytesIO(data)) as file:
            header = file.header
            _check_header(header, len(data), name)
            points = file.read_points(header.point_count)
            if len(points) < header.point_count:
                raise cut_short(name)
            fields = set(header.point_format.dimension_names)
            return Geometry(
                np.stack([points.x, points.y, points.z], axis=1).astype(np.float64),
                units=_units(header),
                up="z",
                has_colours="red" in fields,
            )
    except (UserError, MemoryError):
        raise
    except BaseException:  # the unpacker, written in Rust, panics outside of Exception
        raise _not_whole(name) from None


def _not_whole(name: str) -> UserError:
    return UserError(f"'{name}' is not a whole LAS or LAZ file, so export the scan again.")


def _check_signposts(data: bytes, name: str) -> None:
    """Refuse a header that declares more records of metadata than the file could hold.

    laspy would look for each of them.
    """
    size, points, records = struct.unpack_from("<HII", data.ljust(104, b"\0"), 94)
    if data[:4] != b"LASF" or not 227 <= size <= points <= len(data):
        raise _not_whole(name)
    if records * _RECORD_HEADER > points - size:
        raise _not_whole(name)
    if len(data) > _PACKED_AT and data[_PACKED_AT] & 0x80 and _chunks(data, points) > len(data):
        raise _not_whole(name)
    if data[25] >= 4 and size >= _SIZE_1_4:  # the version that may have more of them at the end
        start, more = struct.unpack_from("<QI", data.ljust(_SIZE_1_4, b"\0"), 235)
        if more and (start > len(data) or more * _LONG_RECORD_HEADER > len(data) - start):
            raise _not_whole(name)


def _chunks(data: bytes, points: int) -> int:
    """How many pieces of a packed file its table declares, for which room is made at once.

    Where the table is stands before the points, or where that was not known yet, at the end.
    """
    padded = data + bytes(16)
    [at] = struct.unpack_from("<q", padded, points)
    if not points < at <= len(data):
        [at] = struct.unpack_from("<q", data, len(data) - 8)
    if not 0 < at <= len(data):
        return 0
    return int(struct.unpack_from("<II", padded, at)[1])


def _check_header(header: laspy.LasHeader, size: int, name: str) -> None:
    room = size - header.offset_to_point_data
    if header.are_points_compressed:
        if header.point_count > _DENSEST * room:
            raise cut_short(name)
    elif header.point_count * header.point_format.size > room:
        raise cut_short(name)
    if header.point_count > MAX_POINTS:
        raise too_many_points(name)
    if header.point_count < 1:
        raise no_points(name)


def _units(header: laspy.LasHeader) -> str | None:
    """Of length, from the coordinate system that the header names, if it does."""
    for record in header.vlrs:
        if keys := getattr(record, "geo_keys", None):
            values = {key.id: key.value_offset for key in keys}
            if values.get(_MODEL_TYPE_KEY) == _GEOGRAPHIC:
                return "degrees"
            return _EPSG_UNITS.get(values.get(_LINEAR_UNITS_KEY, 0))
        if text := getattr(record, "string", None):
            units = _WKT_UNIT.findall(text)
            return units[-1] if units else None  # the last one is that of the whole system
    return None
