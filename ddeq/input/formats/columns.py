"""Which columns of a table hold the coordinates, by the names that programs give them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ddeq.errors import UserError

AXES = ("x", "y", "z")

_UNIT_NAMES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), "m"),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), "mm"),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), "cm"),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), "km"),
    **dict.fromkeys(("um", "µm", "micron", "microns", "micrometer", "micrometre"), "µm"),
    **dict.fromkeys(("ft", "foot", "feet"), "ft"),
    **dict.fromkeys(("in", "inch", "inches"), "in"),
    **dict.fromkeys(("°", "deg", "degree", "degrees"), "degrees"),
}
_BRACKETED = re.compile(r"[(\[{<]([^)\]}>]*)[)\]}>]")
_UNIT_BEHIND = re.compile(r"[\s_./-](mm|cm|km|m|ft|feet|in|deg)$")
_AROUND = "p|pos|position|pt|pts|point|points|coord|coords|coordinate|coordinates|loc|location"
_AROUND += "|vertex|vert|world|global|local|cartesian|center|centre|centroid|axis|utm"
_PATTERNS = (  # from the surest to the least sure; the group names the axis
    re.compile(r"([xyz])"),
    re.compile(rf"(?:{_AROUND})*([xyz])(?:{_AROUND})*"),
    re.compile(r"(?:points?|coord|coordinates?|position|pos|xyz)([012])"),  # ParaView
    re.compile(r"([xyz])1?"),
)
_WORDS = {
    **dict.fromkeys(("easting", "eastings", "east", "lon", "long", "longitude"), "x"),
    **dict.fromkeys(("northing", "northings", "north", "lat", "latitude"), "y"),
    **dict.fromkeys(("height", "elevation", "elev", "alt", "altitude", "depth"), "z"),
}


@dataclass(frozen=True)
class Chosen:
    """Columns that hold coordinates."""

    columns: tuple[int, ...]
    """Of x, y (and z), in this order."""
    names: tuple[str, ...]
    """What the heading calls them."""
    units: tuple[str, ...]
    """Of those that name one."""


def find_axes(heading: Sequence[str]) -> dict[str, int]:
    """The column of each axis that the heading names, by the surest name it has for it."""
    found: dict[str, tuple[int, int]] = {}  # axis: how unsure, column
    for column, cell in enumerate(heading):
        named = _axis(cell)
        if named is not None:
            axis, doubt = named
            found[axis] = min(found.get(axis, (doubt, column)), (doubt, column))
    return {axis: found[axis][1] for axis in AXES if axis in found}


def choose(heading: Sequence[str], name: str) -> Chosen | None:
    """The columns of the coordinates; None where the heading names fewer than two of them.

    Raises:
        UserError: it names z and one of x and y, and it is not clear which column is the other.
    """
    axes = find_axes(heading)
    if len(axes) < 2:
        return None
    if len(axes) == 2 and "z" in axes and len(heading) == 3:  # as in x, height, z
        [left] = {*range(3)} - {*axes.values()}
        [missing] = {*AXES} - {*axes}
        axes[missing] = left
    if not {"x", "y"} <= {*axes}:
        [missing] = {"x", "y"} - {*axes}
        raise UserError(
            f"The heading of '{name}' names no column {missing}, so name its columns x, y and z."
        )
    columns = tuple(axes[axis] for axis in AXES if axis in axes)
    names = tuple(heading[column] for column in columns)
    units = tuple(unit for unit in map(_unit, names) if unit)
    return Chosen(columns, names, units)


def _axis(cell: str) -> tuple[str, int] | None:
    """The axis that a name stands for and how unsure that is, from 0."""
    word = _UNIT_BEHIND.sub("", _BRACKETED.sub("", cell.lower()).strip())
    word = re.sub(r"[\W_]", "", word)
    for doubt, pattern in enumerate(_PATTERNS):
        if match := pattern.fullmatch(word):
            axis = match[1]
            return (AXES[int(axis)] if axis.isdigit() else axis), doubt
    axis = _WORDS.get(word)
    return None if axis is None else (axis, len(_PATTERNS))


def _unit(cell: str) -> str | None:
    lower = cell.lower().strip()
    match = _BRACKETED.search(lower) or _UNIT_BEHIND.search(lower)
    return _UNIT_NAMES.get(match[1].strip()) if match else None
