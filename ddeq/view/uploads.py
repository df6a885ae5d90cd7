"""An uploaded cloud or mesh in space: what was read, and what of it is used."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import streamlit as st

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, Reading, Sampling, draw_from, read_file, shorten
from ddeq.input.families import OBJECTS, family_of
from ddeq.input.formats.axes import UP_AXES, turn_up
from ddeq.input.outliers import without_outliers
from ddeq.input.preprocess import subsample
from ddeq.run.device import pick_device
from ddeq.run.upright import find_up
from ddeq.view.cloud_view import cloud_view
from ddeq.view.page import load_model
from ddeq.view.words import verbatim

POINTS = (256, 2048, 1024)  # that can be used of an upload: fewest, most, at first
SAMPLINGS = {
    "mesh": {"uniform": "Uniform by area", "poisson disk": "Evenly spread (Poisson disk)"},
    "cloud": {"farthest": "Evenly spread (farthest points)", "random": "At random"},
}
KEPT = 100_000  # points of an uploaded cloud, from which the used ones are drawn
_SEED = 0  # the same upload and settings are the same cloud


@st.cache_resource(max_entries=2, show_spinner="Reading the file")
def read_upload(
    file_id: str, name: str, _file: BinaryIO, keep_all: bool = False
) -> tuple[Reading, bool]:
    """What is in an uploaded file, and whether it lies in a plane.

    Of a large cloud points drawn at random are kept, many more than are ever used; in space without
    those that lie apart from the others, unless all are to be kept.

    Raises:
        UserError: see :func:`ddeq.input.clouds.read_file`.
    """
    _file.seek(0)
    try:
        with tempfile.NamedTemporaryFile(prefix="ddeq-") as copy:  # its reader takes it from there
            shutil.copyfileobj(_file, copy)
            copy.flush()
            reading = read_file(Path(copy.name), name)
    except OSError as error:  # such as a full disk
        raise UserError(
            f"'{shorten(name)}' cannot be kept ({error.strerror}), so try again later."
        ) from error
    flat, points = family_of(reading.cloud).flat, reading.cloud.points
    if len(points) > KEPT:
        some = np.random.default_rng(_SEED).choice(len(points), KEPT, replace=False)
        reading = dataclasses.replace(
            reading, cloud=PointCloud(points[np.sort(some)], reading.cloud.name)
        )
    if reading.kind == "cloud" and not flat and not keep_all:
        cloud, found = without_outliers(reading.cloud)
        reading = dataclasses.replace(reading, cloud=cloud, notes=reading.notes + found)
    return reading, flat


def show_reading(reading: Reading) -> None:
    """What is in the file, and what of it is not used."""
    st.markdown(_what_was_read(reading))
    for note in reading.notes:
        st.caption(verbatim(note))


def as_object(file_id: str, reading: Reading) -> bool:
    """Says that the cloud is flat; whether a person wants it read as an object all the same."""
    if reading.cloud.points.shape[1] == 2:
        st.caption("It lies in the plane, so it is read as a digit.")
        return False
    st.caption("It is flat, so it is read as a digit.")
    return st.toggle("Read it as an object", key=f"as-object-{file_id}", persist_state="session")


def in_space(file_id: str, reading: Reading) -> Reading:
    """Lets a person say what is used of a cloud or a mesh, and shows it.

    Args:
        file_id: tells one upload from another, whose controls start anew.
        reading: of the file.

    Returns:
        The reading with the cloud that is used, z up, and with the axis it was turned from.

    Raises:
        UserError: the points cannot be drawn.
    """
    left, right = st.columns(2)
    best = reading.up_axis if reading.up_said else _best_up(file_id, reading)
    axis = left.selectbox(
        "Up axis",
        UP_AXES,
        index=UP_AXES.index(best),
        key=f"up-{file_id}",
        persist_state="session",
        help="Which way is up in the file. The models learned from upright objects.",
    )
    low, high, first = POINTS
    count = right.number_input(
        "Points used", low, high, first, step=256, key=f"points-{file_id}", persist_state="session"
    )
    names = SAMPLINGS[reading.kind]
    sampling = st.selectbox(
        "Sampling",
        names,
        format_func=names.__getitem__,
        key=f"sampling-{file_id}",
        persist_state="session",
    )
    if axis == best != reading.up_axis:
        st.caption(f"It is read with {axis} up, as it is recognised best that way.")
    points = turn_up(_drawn(file_id, int(count), sampling, reading), axis)
    st.caption(
        f"Used: {len(points):,} points, turned so that z is up, centred, and scaled as one, so "
        "that proportions stay."
    )
    cloud_view("upload", points, size=300)
    cloud = PointCloud(points, reading.cloud.name)
    return dataclasses.replace(reading, cloud=cloud, up_axis=axis)


@st.cache_data(max_entries=16, show_spinner="Looking which way is up")
def _best_up(file_id: str, _reading: Reading) -> str:
    """The axis with which the classifier recognises the object best."""
    _, _, count = POINTS
    points = _drawn(file_id, count, next(iter(SAMPLINGS[_reading.kind])), _reading)
    cloud = PointCloud(points, _reading.cloud.name)
    return find_up(load_model(OBJECTS.classifier), cloud, _reading.up_axis, pick_device())


@st.cache_data(max_entries=16, show_spinner="Drawing points")
def _drawn(file_id: str, count: int, sampling: str, _reading: Reading) -> np.ndarray:
    """``(count, 3)`` points of a mesh or a cloud, in the file's axes; fewer if it has fewer."""
    if _reading.kind == "mesh":
        evenly: Sampling = "poisson disk" if sampling == "poisson disk" else "uniform"
        return draw_from(_reading, count, evenly, _SEED).cloud.points
    points, rng = _reading.cloud.points, np.random.default_rng(_SEED)
    if sampling == "farthest":
        return subsample(points, count, rng)
    return points[rng.permutation(len(points))[:count]]


def _what_was_read(reading: Reading) -> str:
    """Points, faces, extent and units, in one sentence of Markdown."""
    sides = " × ".join(f"{side:.3g}" for side in reading.extent)
    unit = f" {reading.units}" if reading.units else ", in units the file does not name"
    what = f"a cloud of {reading.points:,} points"
    if reading.kind == "mesh":
        what = f"a mesh of {reading.points:,} points and {reading.faces:,} faces"
    axes = " × ".join("xyz"[: len(reading.extent)])
    return f"Read: {what}, {sides} ({axes}){unit}."
