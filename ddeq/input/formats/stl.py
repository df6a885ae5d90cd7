"""Stereolithography files, binary or text: .stl.

Decoded here, because numpy-stl 4.1 returns what is there of a file that ends early or declares too
many triangles, and drops all but the first solid; and trimesh 5.2 refuses bytes behind the end and
text without `endsolid`.

Format: https://paulbourke.net/dataformats/stl/
"""

from __future__ import annotations

import itertools
import re

import numpy as np

from ddeq.input.formats.geometry import Geometry
from ddeq.input.formats.limits import (
    MAX_FACES,
    broken_mesh,
    cut_short,
    no_faces,
    too_many_faces,
)
from ddeq.input.formats.meshes import joined
from ddeq.input.formats.plain import decode, is_text

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER = 84  # bytes: free text, then the number of records
_VERTEX = re.compile(rb"^\s*vertex\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_BEGINNING = 1_000  # bytes


def parse_stl(data: bytes, name: str) -> Geometry:
    """The triangles of an STL file; the corners of each are its own.

    See `ddeq.input.formats.parse` for arguments, result and errors.
    """
    notes: tuple[str, ...] = ()
    if _looks_like_text(data):
        corners, notes = _read_text(data, name)
    elif len(data) < _HEADER:
        raise broken_mesh(name, "STL")
    else:
        corners = _read_records(data, name)
    if len(corners) == 0:
        raise no_faces(name)
    points = corners.astype(np.float64)
    triangles = np.arange(len(points)).reshape(-1, 3)
    return Geometry(points, triangles, len(triangles), up="z", notes=notes)


def _looks_like_text(data: bytes) -> bool:
    """Some programs begin binary files with "solid" as well, but their records are no text."""
    try:
        beginning = decode(data[:_BEGINNING])
    except ValueError:
        return False
    return beginning.lstrip()[:5].lower() == b"solid" and is_text(beginning)


def _read_records(data: bytes, name: str) -> np.ndarray:
    """Corners (3 F, 3)."""
    count = int.from_bytes(data[80:_HEADER], "little")
    room = (len(data) - _HEADER) // _RECORD.itemsize
    if count == 0 and len(data) == _HEADER + room * _RECORD.itemsize:
        count = room  # written by a program that did not know how many there would be
    if count > MAX_FACES:
        raise too_many_faces(name)
    if count > room:
        raise cut_short(name, "triangles")
    return np.frombuffer(data, _RECORD, count, _HEADER)["corners"].reshape(-1, 3)


def _read_text(data: bytes, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Corners (3 F, 3) and what is to be said of them."""
    try:
        text = decode(data)
    except ValueError:
        raise broken_mesh(name, "STL") from None
    lower = text.lower()
    solids, closed = lower.count(b"endsolid"), lower.count(b"endfacet")
    opened = lower.count(b"facet") - closed
    if closed > MAX_FACES:
        raise too_many_faces(name)
    if opened > closed and not lower[lower.rindex(b"facet") :].count(b"endsolid"):
        raise cut_short(name, "triangles")
    try:
        words = itertools.chain.from_iterable(_VERTEX.findall(text))
        corners = np.fromiter(map(float, words), np.float64).reshape(-1, 3)
    except ValueError:
        raise broken_mesh(name, "STL") from None
    if len(corners) != 3 * closed:
        raise broken_mesh(name, "STL")
    if not solids:
        return corners, ("It ends without 'endsolid', so it may have lost triangles.",)
    return corners, joined(solids)
