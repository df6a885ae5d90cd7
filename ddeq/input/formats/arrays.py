"""Arrays that NumPy saved: .npy .npz, never unpickled."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import IO

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, cut_short, too_many_points

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes
_MAX_UNPACKED = 16 * 3 * MAX_POINTS  # bytes: no number is wider than 16
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)


def parse_npy(data: bytes, name: str) -> Geometry:
    """An array of shape (M, 2) or (M, 3); see `formats.parse`."""
    file = io.BytesIO(data)
    shape, dtype = _read_header(file, name)
    if len(shape) != 2 or shape[1] not in (2, 3) or shape[0] < 0 or dtype.kind not in "fiu":
        raise UserError(
            f"'{name}' holds an array of shape {shape} and type {dtype.name}, "
            "so save numbers of shape (M, 2) or (M, 3)."
        )
    if shape[0] > MAX_POINTS:
        raise too_many_points(name)
    if math.prod(shape) * dtype.itemsize > len(data) - file.tell():
        raise cut_short(name)
    return Geometry(np.load(io.BytesIO(data), allow_pickle=False).astype(np.float64))


def parse_npz(data: bytes, name: str) -> Geometry:
    """The array `points` or `x` of an archive, or its only matrix, see `formats.parse`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return parse_npy(_unpack(archive, name), name)
    except UserError:
        raise
    except _ZIP_ERRORS:
        raise _broken(name) from None


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    members = {m.filename: m for m in archive.infolist() if m.filename.endswith(".npy")}
    if any(member.compress_type not in _COMPRESSION for member in members.values()):
        raise _broken(name)
    named: list[str] = [key for key in ("points.npy", "x.npy") if key in members]
    chosen = named[:1] or [key for key in members if _is_matrix(archive, key, name)]
    if len(chosen) != 1:
        raise UserError(
            f"'{name}' has {len(chosen)} two-dimensional arrays, "
            "so save the one with the coordinates as 'points'."
        )
    if members[chosen[0]].file_size > _MAX_UNPACKED:  # a small archive can unpack to anything
        raise too_many_points(name)
    return archive.read(chosen[0])


def _is_matrix(archive: zipfile.ZipFile, member: str, name: str) -> bool:
    with archive.open(member) as file:
        return len(_read_header(file, name)[0]) == 2


def _read_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and element type; leaves `file` where the elements start."""
    try:
        shape, _, dtype = _HEADER_READERS[np.lib.format.read_magic(file)](file)
    except Exception:  # garbage makes NumPy's reader raise a dozen kinds of errors
        raise UserError(
            f"'{name}' has no header of a NumPy array, so save it again with numpy.save."
        ) from None
    return shape, dtype


def _broken(name: str) -> UserError:
    return UserError(f"'{name}' is not a whole .npz file, so save it again with numpy.savez.")
