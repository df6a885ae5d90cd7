"""The file of a command: a picture or a flat cloud of a digit, a cloud or a mesh of an object."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import torch

from ddeq.cli.parser import whole
from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, Sampling, read_file, shorten
from ddeq.input.families import DIGITS, OBJECTS, Family, family_of
from ddeq.input.formats.axes import UP_AXES, turn_back, turn_up
from ddeq.input.outliers import without_outliers
from ddeq.input.pictures import SUFFIXES as PICTURE_SUFFIXES
from ddeq.input.pictures import read_things
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier
from ddeq.run.upright import find_up

POINTS = 1024  # of a mesh: as many as the models of objects learned to complete


@dataclass(frozen=True, eq=False)
class Input:
    """What was read.

    Attributes:
        cloud: in space with z up.
        up: the axis of the file that was turned to z, one of ``ddeq.input.formats.axes.UP_AXES``.
        family: the models for it.
        notes: what a person should know about the reading: whole sentences.
        up_said: whether the file or a person says which axis that is.
    """

    cloud: PointCloud
    up: str
    family: Family
    notes: tuple[str, ...] = ()
    up_said: bool = True


def add_input(sub: argparse.ArgumentParser) -> None:
    """The options of :func:`read_input`."""
    sub.add_argument("file", type=Path, metavar="FILE", help="a point cloud, a mesh or an image")
    sub.add_argument(
        "--points", type=int, default=POINTS, help="drawn from a mesh (default: %(default)s)"
    )
    sub.add_argument(
        "--sampling",
        choices=get_args(Sampling),
        default="uniform",
        help="how they are drawn (default: %(default)s)",
    )
    sub.add_argument(
        "--thing",
        type=whole(1),
        metavar="N",
        help="which of several things in a picture, counted as one reads them: from 1",
    )
    sub.add_argument(
        "--up",
        choices=UP_AXES,
        metavar="AXIS",
        help="which way is up in a file of an object, be it flat: x, y, z, or --up=-x; default: "
        "what its format says, or is customary with it, unless classify recognises it better "
        "another way",
    )


def read_input(options: argparse.Namespace, keep_all: bool = False) -> Input:
    """Read the file, as the models take it.

    Args:
        options: of the command.
        keep_all: whether points that lie apart from the others stay.

    Raises:
        UserError: it cannot be read or used, lies in a plane where an up axis is said, or shows
            other things than the one that is asked for.
    """
    file, name = options.file, options.file.name
    notes: tuple[str, ...] = ()
    scanned = up_said = False
    if file.suffix.lower() in PICTURE_SUFFIXES:
        cloud, guess = _thing(read_things(file, name), options.thing), "y"
    elif options.thing is not None:
        raise UserError(f"'{shorten(name)}' is no picture, so leave out --thing.")
    else:
        reading = read_file(file, name, options.points, options.sampling)
        cloud, guess, notes = reading.cloud, reading.up_axis, reading.notes
        scanned, up_said = reading.kind == "cloud", reading.up_said
    if options.up is None and family_of(cloud).flat:
        if cloud.points.shape[1] == 3:
            notes += ("It is flat, so it is read as a digit; --up reads it as an object.",)
        return Input(cloud, "z", DIGITS, notes)
    if cloud.points.shape[1] == 2:
        raise UserError(f"'{shorten(name)}' lies in a plane, so leave out --up.")
    up = options.up or guess
    if scanned and not keep_all:
        cloud, found = without_outliers(cloud)
        notes += found
    stood = PointCloud(turn_up(cloud.points, up), name)
    return Input(stood, up, OBJECTS, notes, up_said or options.up is not None)


def stood_up(given: Input, checkpoint: Checkpoint[Classifier], device: torch.device) -> Input:
    """The same object the way in which a classifier recognises it best, and a note where that is
    another; what the file or a person says stays."""
    if given.up_said:
        return given
    cloud = PointCloud(turn_back(given.cloud.points, given.up), given.cloud.name)
    up = find_up(checkpoint, cloud, given.up, device)
    if up == given.up:
        return given
    note = f"It is read with {up} up, as it is recognised best that way; --up says otherwise."
    turned = PointCloud(turn_up(cloud.points, up), cloud.name)
    return replace(given, cloud=turned, up=up, notes=(*given.notes, note))


def _thing(things: list[PointCloud], asked: int | None) -> PointCloud:
    """The thing in a picture that was asked for, from 1; the only one where nobody says.

    Raises:
        UserError: there are several and nobody says which, or not as many.
    """
    name, count = shorten(things[0].name), len(things)
    if asked is None and count > 1:
        raise UserError(
            f"'{name}' shows {count} things, so say which with --thing, from 1 to {count} as one "
            "reads them."
        )
    if asked is not None and asked > count:
        raise UserError(
            f"'{name}' shows {count} thing{'s' * (count > 1)}, so --thing is a number from 1 to "
            f"{count}."
        )
    return things[(asked or 1) - 1]
