"""Arrays that NumPy saved, never unpickled, or bare ones of KITTI: .npy .npz .bin."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from typing import IO

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.columns import AXES, find_axes
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, cut_short, too_many_points

_HEADER_READERS = {
    1: np.lib.format.read_array_header_1_0,
    2: np.lib.format.read_array_header_2_0,
    3: np.lib.format.read_array_header_2_0,  # differs in the letters of names alone
}
_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy writes
_MAX_UNPACKED = 16 * 3 * MAX_POINTS  # bytes: no number is wider than 16
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError)
_NAMES = ("points", "x", "xyz", "pos", "positions", "coords", "pc", "point_cloud", "vertices")
_WIDTHS = (4, 6, 7, 9, 10)  # x, y, z and an intensity, colours, normals
_FARTHEST = 1e6  # metres, in a scan of a laser on a car

_REST_IGNORED = "Its columns after the third are ignored."


def parse_npy(data: bytes, name: str) -> Geometry:
    """An array of points, in rows or in columns, or with the fields x, y (, z).

    See `ddeq.input.formats.parse` for arguments, result and errors, here and below.
    """
    file = io.BytesIO(data)
    shape, dtype = _read_header(file, name)
    axes = find_axes(dtype.names or ())
    columns = [dtype.names[axes[axis]] for axis in AXES if axis in axes] if dtype.names else []
    numbers = [dtype[column] for column in columns] or [dtype]
    width = _width(shape) if not dtype.names else len(columns) * ({"x", "y"} <= {*axes})
    if not width or any(kind.kind not in "fiu" for kind in numbers):
        raise UserError(
            f"'{name}' holds an array of shape {shape} and type {dtype.name}, "
            "so save numbers of shape (M, 2) or (M, 3)."
        )
    if math.prod(shape) // (1 if dtype.names else width) > MAX_POINTS:
        raise too_many_points(name)
    if math.prod(shape) * dtype.itemsize > len(data) - file.tell():
        raise cut_short(name)
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if columns:
        points = np.stack([array[column].reshape(-1) for column in columns], axis=1)
        return Geometry(points.astype(np.float64))
    return _of_shape(array.astype(np.float64), width)


def _width(shape: tuple[int, ...]) -> int:
    """How many numbers each point of an array has; 0 for one that holds no points."""
    if any(side < 0 for side in shape):
        return 0
    sides = _sides(shape)
    if len(sides) == 2 and _is_transposed(sides):
        return sides[0]
    if shape == (4, 4):  # a motion
        return 0
    return sides[-1] if len(sides) == 2 and sides[-1] in (2, 3, *_WIDTHS) else 0


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of an array of two axes, once those of length 1 are left out and rows of points joined."""
    if len(shape) == 3 and 1 in shape[:2]:
        return (math.prod(shape[:2]), shape[2])
    if len(shape) == 3 and shape[2] == 3:  # a picture of points
        return (math.prod(shape[:2]), 3)
    return shape


def _is_transposed(sides: tuple[int, ...]) -> bool:
    return sides[0] in (2, 3) and sides[1] > 3


def _of_shape(array: np.ndarray, width: int) -> Geometry:
    table = array.reshape(_sides(array.shape))
    if _is_transposed(table.shape):
        return Geometry(table.T.copy(), notes=("Its columns are taken for the points.",))
    return Geometry(table[:, :3].copy(), notes=(_REST_IGNORED,) * (width > 3))


def parse_bin(data: bytes, name: str) -> Geometry:
    """A scan of KITTI: x, y, z and the reflectance of each point in single precision."""
    numbers = np.frombuffer(data, "<f4", len(data) // 4)
    if len(data) % 16 or not (np.abs(np.nan_to_num(numbers, nan=0.0)) < _FARTHEST).all():
        raise UserError(
            f"'{name}' does not hold x, y, z and a reflectance for each point as scans of KITTI "
            "do, so save it as .npy or .ply."
        )
    if len(numbers) // 4 > MAX_POINTS:
        raise too_many_points(name)
    points = numbers.reshape(-1, 4)[:, :3].astype(np.float64)
    return Geometry(points, units="m", up="z", notes=("It is read as a scan of KITTI.",))


def parse_npz(data: bytes, name: str) -> Geometry:
    """The array `points` of an archive, or one of another usual name, or its only matrix."""
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
    named: list[str] = [f"{key}.npy" for key in _NAMES if f"{key}.npy" in members]
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
        shape, _, dtype = _HEADER_READERS[np.lib.format.read_magic(file)[0]](file)
    except Exception:  # garbage makes NumPy's reader raise a dozen kinds of errors
        raise UserError(
            f"'{name}' has no header of a NumPy array, so save it again with numpy.save."
        ) from None
    return shape, dtype


def _broken(name: str) -> UserError:
    return UserError(f"'{name}' is not a whole .npz file, so save it again with numpy.savez.")
