"""Laser scans: .las .laz, read by laspy.

Format: https://www.asprs.org/divisions-committees/lidar-division/laser-las-file-format-exchange-activities
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, cut_short, no_points, too_many_points

if TYPE_CHECKING:
    import laspy

_LINEAR_UNITS_KEY = 3076  # of the GeoTIFF keys
_GEOGRAPHIC = 2  # the model type with degrees, under _MODEL_TYPE_KEY
_MODEL_TYPE_KEY = 1024
_EPSG_UNITS = {9001: "m", 9002: "ft", 9003: "US survey ft"}
_WKT_UNIT = re.compile(r'\b(?:LENGTH)?UNIT\["([^"]{1,40})"')


def parse_las(data: bytes, name: str) -> Geometry:
    """Points of a LAS or LAZ file, scaled and offset as its header says; see `parse`."""
    import laspy

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
        raise UserError(
            f"'{name}' is not a whole LAS or LAZ file, so export the scan again."
        ) from None


def _check_header(header: laspy.LasHeader, size: int, name: str) -> None:
    if header.point_count > MAX_POINTS:
        raise too_many_points(name)
    if header.point_count < 1:
        raise no_points(name)
    packed = header.are_points_compressed
    length = header.point_count * header.point_format.size
    if not packed and header.offset_to_point_data + length > size:
        raise cut_short(name)


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
