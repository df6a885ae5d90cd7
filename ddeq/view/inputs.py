"""The cloud a page works on: a real digit picked, a file uploaded or a drawing.

Pages share the choice: a digit picked or drawn on one is the digit of the other.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ddeq.clouds import PointCloud, read_cloud
from ddeq.errors import UserError
from ddeq.formats import SUFFIXES as CLOUD_SUFFIXES
from ddeq.gallery import load_gallery
from ddeq.images import SUFFIXES as IMAGE_SUFFIXES
from ddeq.images import image_to_cloud, strokes_to_cloud
from ddeq.view.pad import drawing_pad
from ddeq.view.picker import digit_picker

FIRST_DIGIT = 168  # a seven


def choose_input(first: int = FIRST_DIGIT) -> tuple[PointCloud, str | None] | None:
    """A cloud and its true class if known; None while there is none to use, which is explained.

    Args:
        first: the gallery's digit shown where the link names none.
    """
    sources = {
        "Gallery": lambda: _from_gallery(first),
        "Upload": _from_upload,
        "Draw": _from_drawing,
    }
    source = st.segmented_control(
        "Input",
        list(sources),
        default="Gallery",
        required=True,
        key="input",
        bind="query-params",
        label_visibility="collapsed",
    )
    try:
        return sources[source]()
    except UserError as error:
        st.error(str(error))
        return None


def _from_gallery(first: int) -> tuple[PointCloud, str]:
    gallery = load_gallery()
    asked = st.query_params.get("digit", "")
    digit = int(asked) if asked.isdecimal() and int(asked) < len(gallery.labels) else first
    clicked = digit_picker("gallery", digit)
    if clicked is not None and clicked != digit:
        st.query_params["digit"] = str(clicked)
        st.rerun()  # so that the picker marks what was clicked
    st.caption("The first 24 test digits of each class of MNIST; nobody chose them.")
    return gallery.cloud(digit), str(gallery.labels[digit])


def _from_upload() -> tuple[PointCloud, None] | None:
    file = st.file_uploader(
        "A point cloud of a digit, flat or in the plane, or a picture of one",
        help=f"Point clouds: {', '.join(CLOUD_SUFFIXES)}. Pictures: {', '.join(IMAGE_SUFFIXES)}.",
    )
    return None if file is None else (_read(file.getvalue(), file.name), None)


def _from_drawing() -> tuple[PointCloud, None] | None:
    strokes = drawing_pad("pad")
    if strokes is not None:
        st.session_state.drawing = strokes_to_cloud(strokes)
    drawing = st.session_state.get("drawing")
    return None if drawing is None else (drawing, None)


@st.cache_data(max_entries=4, show_spinner="Reading the file")
def _read(content: bytes, name: str) -> PointCloud:
    image = Path(name).suffix.lower() in IMAGE_SUFFIXES
    return image_to_cloud(content, name) if image else read_cloud(content, name)
