"""Numbers in plain text, one point a line: .csv .txt .xyz .pts."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

import numpy as np

from ddeq.errors import UserError
from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import MAX_POINTS, too_many_points

AXES = ("x", "y", "z")

_MAX_LINE = 4_096  # bytes; a point takes far less


def parse_columns(data: bytes, name: str) -> Geometry:
    """Two or three columns of numbers, or any number of them with a first line naming x, y (, z).

    See `ddeq.input.formats.parse` for arguments, result and errors, here and below.
    """
    points = read_table(data, name)
    if points.shape[1] not in (2, 3):
        raise UserError(
            f"'{name}' has {points.shape[1]} columns of numbers, so keep two (x, y) or three "
            "(x, y, z), or name them in its first line."
        )
    return Geometry(points)


def parse_xyz(data: bytes, name: str) -> Geometry:
    """Coordinates in the first columns; normals, intensities or colours may follow."""
    points = read_table(data, name)
    if points.shape[1] < 2:
        raise UserError(f"'{name}' has one column, so give each point two or three numbers.")
    further = points.shape[1] > 3  # normals or colours: no file says which
    notes = ("Its columns after the third are ignored.",) if further else ()
    return Geometry(points[:, :3], notes=notes)


def parse_pts(data: bytes, name: str) -> Geometry:
    """Like `parse_xyz`; the first line may be the number of points."""
    first, _, rest = data.lstrip().partition(b"\n")
    if not first.strip().isdigit():
        return parse_xyz(data, name)
    cloud = parse_xyz(rest, name)
    if first.strip().lstrip(b"0") != b"%d" % len(cloud.points):
        raise UserError(
            f"'{name}' does not hold as many points as its first line says, so export it again."
        )
    return cloud


def read_table(data: bytes, name: str, columns: list[int] | None = None) -> np.ndarray:
    """Numbers separated by commas, semicolons, tabs or spaces; '#' starts a comment.

    Args:
        data: one point a line.
        name: what messages call the file.
        columns: the columns to take. By default those that the first line names x, y (, z), and
            all where it names none; the first line is then left out if it holds no number.

    Returns:
        float64 (M, columns).

    Raises:
        UserError: there are no points, too many, or a line is not like the first.
    """
    data = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    _check_text(data, name)
    if b";" in data:  # the usual separator where the decimal sign is a comma
        data = data.replace(b",", b".")
    first = next(_contents(data), "")
    words = [word.strip(' "\t').lower() for word in first.split(_separator(first))]
    if columns is None and not any(map(_is_number, words)):
        named = [words.index(axis) for axis in AXES if axis in words]
        columns = named if len(named) > 1 else None
        data = data[data.index(first.encode()) + len(first.encode()) :]
        first = next(_contents(data), "")
    if not first:
        raise UserError(f"'{name}' holds no points, so give a file with one point per line.")
    separator = _separator(first)
    try:
        return np.loadtxt(_open(data), delimiter=separator, usecols=columns, ndmin=2)
    except ValueError:
        raise _bad_line(data, name, separator) from None


def _check_text(data: bytes, name: str) -> None:
    """Refuse what is not text, or would take much more memory as numbers than it has bytes."""
    try:
        data.decode()
    except UnicodeDecodeError:
        raise UserError(
            f"'{name}' is not plain text, so save it as text with one point per line."
        ) from None
    if data.count(b"\n") > MAX_POINTS:
        raise too_many_points(name)
    if max(map(len, io.BytesIO(data)), default=0) > _MAX_LINE:
        raise UserError(f"'{name}' has overlong lines, so save it with one point per line.")


def _open(data: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), "utf-8")  # a StringIO takes four bytes a character


def _contents(data: bytes) -> Iterator[str]:
    """The lines without comments and white space around, empty ones left out."""
    return filter(None, (line.partition("#")[0].strip() for line in _open(data)))


def _separator(line: str) -> str | None:
    """What separates the words of a line; None stands for any white space."""
    return next((mark for mark in ";," if mark in line), None)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _bad_line(data: bytes, name: str, separator: str | None) -> UserError:
    """Names the first line that differs from the first in its count of numbers."""
    width = None
    for line in _contents(data):
        numbers = sum(map(_is_number, line.split(separator)))
        width = width or numbers
        if numbers != width or not numbers:
            shown = " ".join(line.split())[:40]
            return UserError(
                f"The line '{shown}' of '{name}' is not a point like the first one, "
                "so correct or remove it."
            )
    return UserError(f"'{name}' is not a table of numbers, so save it with one point per line.")
