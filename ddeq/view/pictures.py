"""An uploaded picture: the digit in it, or the one of several that a person chooses."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import streamlit as st

from ddeq.input.clouds import PointCloud
from ddeq.input.pictures import read_things


@st.cache_resource(max_entries=32, show_spinner="Reading the picture")
def _things(file_id: str, name: str, _file: BinaryIO) -> list[PointCloud]:
    """The things in an uploaded picture, which is read once.

    Raises:
        UserError: see :func:`ddeq.input.pictures.read_things`.
    """
    _file.seek(0)
    return read_things(_file.read(), name)


def thing_of_picture(file_id: str, name: str, file: BinaryIO) -> PointCloud:
    """The digit in an uploaded picture; where there are several, the one that is chosen.

    Args:
        file_id: tells one upload from another, whose choice starts anew.
        name: of the file.
        file: its content.

    Raises:
        UserError: the picture cannot be read, or shows nothing.
    """
    things = _things(file_id, name, file)
    if len(things) == 1:
        return things[0]
    st.caption(f"There are {len(things)} things in this picture; one is read.")
    number = st.segmented_control(
        "Which one, from left to right",
        range(len(things)),
        default=0,
        required=True,
        format_func=lambda index: str(index + 1),
        key=f"thing-{file_id}",
        persist_state="session",
    )
    st.image(_drawn(things[number]), width=84, caption="What is read")
    return things[number]


def _drawn(thing: PointCloud) -> np.ndarray:
    """A thing's pixels, dark on bright: uint8 (28, 28)."""
    image = np.full((28, 28), 255, np.uint8)
    x, y = thing.points.astype(int).T
    image[-y, x] = 0
    return image
