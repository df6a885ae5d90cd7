"""The cloud a page works on: a real digit or object picked, a file uploaded or a drawing.

Pages share the choice: what is picked or drawn on one is what the other works on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from ddeq.errors import UserError
from ddeq.input.answers import Answer
from ddeq.input.clouds import PointCloud, Reading
from ddeq.input.families import DIGITS, OBJECTS, Family
from ddeq.input.formats import SUFFIXES as CLOUD_SUFFIXES
from ddeq.input.gallery import PER_CLASS, USED_POINTS, load_gallery, load_objects
from ddeq.input.images import strokes_to_cloud
from ddeq.input.pictures import SUFFIXES as PICTURE_SUFFIXES
from ddeq.view.links import carry_source, place_in_link
from ddeq.view.pad import drawing_pad
from ddeq.view.picker import digit_picker, object_picker
from ddeq.view.pictures import thing_of_picture
from ddeq.view.private import Upload
from ddeq.view.session import Kept, Name
from ddeq.view.uploads import as_object, in_space, read_upload, show_reading
from ddeq.view.words import verbatim

FIRST_DIGIT = 168  # a seven
FIRST_OBJECT = 0  # an armchair

_drawing: Kept[PointCloud] = Kept(Name.DRAWING)
_upload: Kept[Upload | None] = Kept(Name.UPLOAD)
_firsts: Kept[dict[str, str]] = Kept(Name.FIRST_SOURCES)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen.

    Attributes:
        cloud: as the models take it; in space z is up.
        answer: what it is, if known.
        family: the models for it.
        reading: of an uploaded cloud or mesh; its ``up_axis`` is the axis that was turned to z.
    """

    cloud: PointCloud
    answer: Answer | None
    family: Family
    reading: Reading | None = None


def choose_input(first: str = "Digits", keep_all: bool = False) -> Chosen | None:
    """A cloud and what is known of it; None while there is none to use, which is explained.

    Args:
        first: the source where neither the link nor another page names one.
        keep_all: whether points of an upload that lie apart from the others stay: what is to be
            completed is given back whole.
    """
    sources: dict[str, Callable[[], Chosen | None]] = {
        "Digits": _from_digits,
        "Objects": _from_objects,
        "Upload": partial(_from_upload, keep_all),
        "Draw": _from_drawing,
    }
    with st.container(key="choose-input"):
        source = st.segmented_control(
            "Input",
            list(sources),
            default=_first_source(first),
            required=True,
            key="input",
            bind="query-params",
            label_visibility="collapsed",
        )
        if _is_chosen(source, first):
            carry_source(source)
        try:
            return sources[source]()
        except UserError as error:
            st.error(verbatim(str(error)))
            return None


def _is_chosen(source: str, first: str) -> bool:
    """Whether another page is to begin with this source: it is what most begin with otherwise."""
    named = any(name in st.query_params for name in ("digit", "object"))
    return named or not source == first == "Digits"


def _first_source(usual: str) -> str:
    """The usual source, or that of a link which names what is picked alone; the same for a
    session."""
    firsts = _firsts.get() or _firsts.put({})
    sources = {"digit": "Digits", "object": "Objects"}
    named = (source for name, source in sources.items() if name in st.query_params)
    return firsts.setdefault(usual, next(named, usual))


def source_of_input() -> str:
    """The name of the source that is chosen; "" before any is."""
    return str(st.session_state.get("input", ""))


def turn_to_source(source: str) -> None:
    """Have this source chosen when the script runs next; only a callback may."""
    st.session_state["input"] = source


def family_of_choice(chosen: Chosen | None) -> Family:
    """Whose settings and models a page shows: the digits' while there is no input."""
    return DIGITS if chosen is None else chosen.family


def _from_digits() -> Chosen:
    gallery = load_gallery()
    digit = _picked("digit", digit_picker, FIRST_DIGIT, len(gallery.labels))
    st.caption(
        f"{len(gallery.labels)} digits, the first {PER_CLASS} of each class in MNIST's test set; "
        "nobody chose them."
    )
    return Chosen(gallery.cloud(digit), gallery.answer(digit), DIGITS)


def _from_objects() -> Chosen:
    gallery = load_objects()
    number = _picked("object", object_picker, FIRST_OBJECT, len(gallery))
    st.caption(
        f"**{gallery.names[number]}**, one of {len(gallery)} objects that no model saw",
        help=gallery.credit(number),
    )
    return Chosen(gallery.cloud(number, USED_POINTS), gallery.answer(number), OBJECTS)


def _picked(
    name: str, picker: Callable[[str, int | None], int | None], first: int, count: int
) -> int:
    """The number that the link names or a person clicks on."""
    asked = place_in_link(name, count)
    number = first if asked is None else asked
    clicked = picker(f"{name}s", number)
    if clicked is not None and clicked != number:
        st.query_params[name] = str(clicked)
        st.rerun()  # so that the picker marks what was clicked
    return number


def _from_upload(keep_all: bool) -> Chosen | None:
    st.file_uploader(
        "A point cloud or a mesh of an object, or a flat cloud or a picture of a digit",
        help=f"Clouds and meshes: {', '.join(CLOUD_SUFFIXES)}. "
        f"Pictures: {', '.join(PICTURE_SUFFIXES)}.",
        key="file",
        on_change=_keep_upload,
    )
    file = _upload.get()
    if file is None:
        return None
    if st.session_state["file"] is None:  # it was uploaded on another page
        st.caption(f"Used: {verbatim(file.name)}, uploaded before.")
    if Path(file.name).suffix.lower() in PICTURE_SUFFIXES:
        return Chosen(thing_of_picture(file.file_id, file.name, file), None, DIGITS)
    reading, flat = read_upload(file.file_id, file.name, file, keep_all)
    show_reading(reading)
    if flat and not as_object(file.file_id, reading):
        return Chosen(reading.cloud, None, DIGITS, reading)
    reading = in_space(file.file_id, reading)
    return Chosen(reading.cloud, None, OBJECTS, reading)


def _keep_upload() -> None:
    """Keep what has been uploaded, or drop what has been taken away."""
    _upload.put(st.session_state["file"])


def _from_drawing() -> Chosen | None:
    strokes = drawing_pad("pad")
    if strokes is not None:
        _drawing.put(strokes_to_cloud(strokes))
    drawing = _drawing.get()
    return None if drawing is None else Chosen(drawing, None, DIGITS)
