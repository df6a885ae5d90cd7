"""Pictures of digits: dark on bright or bright on dark, drawn, scanned or photographed.

A picture is decoded to grey levels, cut to the sheet of paper in it, freed of ruled lines, and what
stands out is told apart: one thing, or several, each brought to MNIST's conventions. All that runs
in a process of its own, as pictures are as little to be trusted as any file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, read_bytes, shorten, validate
from ddeq.input.formats.sandbox import read_apart
from ddeq.input.images import pixel_cloud, to_mnist
from ddeq.input.pictures.decode import FORMATS, decode
from ddeq.input.pictures.ink import Ink, raised_strokes, stands_out
from ddeq.input.pictures.lines import without_lines
from ddeq.input.pictures.picture import Picture
from ddeq.input.pictures.sheet import cut_out_sheet
from ddeq.input.pictures.strokes import with_usual_pen
from ddeq.input.pictures.things import tell_apart

SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
MOST = 20
"""Things in a picture that a person would want to choose from."""


def read_things(data: bytes | Path, name: str) -> list[PointCloud]:
    """The clouds of the things in a picture, in the order one reads them: mostly of one digit.

    Args:
        data: the content of a file, or its path.
        name: what messages call the picture; it ends in one of `SUFFIXES`.

    Returns:
        Of each thing the non-zero pixels (M, 2) of its picture in MNIST's conventions.

    Raises:
        UserError: the file is broken or too large, or shows nothing or more than `MOST` things.
    """
    shown = shorten(name)
    picture = read_apart(read_bytes(data, shown), "", shown, parse_picture, Picture)
    return clouds_of(picture, name)


def clouds_of(picture: Picture, name: str) -> list[PointCloud]:
    """The things of a picture as clouds, named alike."""
    clouds = [PointCloud(pixel_cloud(t).astype(np.float64), name) for t in picture.things]
    for cloud in clouds:
        validate(cloud)
    return clouds


def parse_picture(data: bytes, suffix: str, name: str) -> Picture:
    """The things in a picture, in the process that calls.

    Args:
        data: a whole file.
        suffix: is not looked at, the file says of what kind it is.
        name: what messages call the file.

    Raises:
        UserError: see `read_things`.
    """
    ink = next(filter(None, map(_ink_on_paper, decode(data, name))), None)
    if ink is None:
        raise UserError(f"'{name}' shows nothing that stands out, so give a picture of a digit.")
    things = tell_apart(ink)
    if len(things) > MOST:
        raise UserError(f"'{name}' shows {len(things)} things, so cut out one digit.")
    return Picture(np.stack([to_mnist(with_usual_pen(thing)) for thing in things]))


def _ink_on_paper(levels: np.ndarray) -> Ink | None:
    """The ink in grey levels (H, W), if any, without the paper's lines and what lies around it."""
    whole = raised_strokes(levels)
    raised = without_lines(whole)
    if raised is whole:  # a picture that lines cross is paper up to its sides
        sheet = cut_out_sheet(levels)
        if sheet is not levels:
            raised = without_lines(raised_strokes(sheet))
    return stands_out(raised)
