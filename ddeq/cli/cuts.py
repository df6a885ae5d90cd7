"""The part of a file that is removed, to be completed."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from ddeq.cli.input import Input
from ddeq.cli.parser import numbers, whole
from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, flatten, shorten
from ddeq.input.hollow import Hollow, hollow, without_truth
from ddeq.input.partial import (
    DIGIT_HOLE_RADIUS,
    Orbit,
    beyond_plane,
    outside_sphere,
    random_holes,
    seen_from,
)
from ddeq.input.preprocess import standardise
from ddeq.run.export import in_file_axes

IN_PLANE = ("hole", "holes")
IN_SPACE = ("scan", "sphere", "plane")


def add_cuts(sub: argparse.ArgumentParser) -> None:
    """The options of :func:`cut`."""
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    flat = sub.add_argument_group("what is removed of a digit; without any it is partial already")
    flat.add_argument(
        "--hole",
        type=numbers("X,Y,R"),
        **several,
        metavar="X,Y,R",
        help="the points within R of (X, Y), in the file's own units",
    )
    flat.add_argument("--holes", type=whole(1), help="as many holes around random points")
    flat.add_argument(
        "--radius",
        type=float,
        default=DIGIT_HOLE_RADIUS,
        help="of those, where the cloud's standard deviation is 1 (default: %(default)s)",
    )
    space = sub.add_argument_group("what is removed of an object, in the file's units and axes")
    space.add_argument(
        "--scan",
        type=numbers("AZIMUTH,ELEVATION"),
        metavar="AZIMUTH,ELEVATION",
        help="what a camera in this direction does not see: degrees about the up axis and above "
        "the horizon",
    )
    space.add_argument(
        "--sphere",
        type=numbers("X,Y,Z,R"),
        **several,
        metavar="X,Y,Z,R",
        help="the points within R of (X, Y, Z)",
    )
    space.add_argument(
        "--plane",
        type=numbers("NX,NY,NZ,OFFSET"),
        **several,
        metavar="NX,NY,NZ,OFFSET",
        help="the points behind a plane that lies OFFSET from the origin along the normal",
    )


def cut(given: Input, options: argparse.Namespace, seed: int) -> Hollow:
    """The cloud without what is to be removed; without any such option it is partial as it is.

    Raises:
        UserError: options that are not for such a cloud, or too much or nothing removed.
    """
    usual, other = (IN_PLANE, IN_SPACE) if given.family.flat else (IN_SPACE, IN_PLANE)
    if any(getattr(options, name) for name in other):
        place = "lies in a plane" if given.family.flat else "is an object in space"
        flags = [f"--{name}" for name in usual]
        raise UserError(
            f"'{shorten(given.cloud.name)}' {place}, so cut it with "
            f"{', '.join(flags[:-1])} or {flags[-1]}."
        )
    if not any(getattr(options, name) for name in usual):
        return without_truth(given.cloud)
    kept = _in_plane(given.cloud, options, seed) if given.family.flat else _in_space(given, options)
    return hollow(given.cloud, kept)


def _in_plane(cloud: PointCloud, options: argparse.Namespace, seed: int) -> np.ndarray:
    """What holes leave, bool ``(M,)``."""
    points = flatten(cloud).points
    keep = np.ones(len(points), bool)
    for x, y, radius in options.hole or ():
        keep &= outside_sphere(points, np.array([x, y]), radius)
    if options.holes:
        unit, rng = standardise(points).points, np.random.default_rng(seed)
        keep &= random_holes(unit, min(options.holes, len(points)), options.radius, rng)
    return keep


def _in_space(given: Input, options: argparse.Namespace) -> np.ndarray:
    """What a scan, spheres and planes leave, bool ``(M,)``."""
    points = in_file_axes(given.cloud.points, given.up)
    keep = np.ones(len(points), bool)
    if options.scan:
        upright = given.cloud.points
        keep &= seen_from(upright, Orbit(*options.scan).position(upright))
    for *centre, radius in options.sphere or ():
        keep &= outside_sphere(points, np.array(centre), radius)
    for *normal, offset in options.plane or ():
        if not any(normal):
            raise UserError("A plane with the normal 0,0,0 has no sides, so give another normal.")
        keep &= beyond_plane(points, np.array(normal), offset)
    return keep
