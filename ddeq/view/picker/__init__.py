"""The galleries of real digits and of real objects as grids of thumbnails, one row a class."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from ddeq.input.gallery import PER_CLASS, load_gallery, load_objects
from ddeq.view.picker.thumbnails import thumbnail

_HERE = Path(__file__).parent
_OBJECT = 38  # pixels of an object's thumbnail on the page; it is drawn twice as large


def _component(name: str, sheet: np.ndarray, picture: int, scale: int, first: str) -> Callable:
    """A picker whose thumbnails are cut from one sheet.

    Args:
        name: of the component.
        sheet: uint8 (H, W), ink; sent as opacity, so that a theme can colour it.
        picture: side of a thumbnail on the page, in pixels.
        scale: pixels of the sheet for one of the page.
        first: width of the first column, in CSS.
    """
    out = io.BytesIO()
    Image.fromarray(np.stack([np.zeros_like(sheet), sheet], axis=-1), "LA").save(out, "PNG")
    sprite = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
    height, width = (side // scale for side in sheet.shape)
    texts = {
        "PICTURE": str(picture),
        "FIRST": first,
        "SHEET": f"{width}px {height}px",
        "SPRITE": sprite,
    }
    css = (_HERE / "picker.css").read_text()
    for placeholder, text in texts.items():
        css = css.replace(placeholder, text)
    return st.components.v2.component(name, css=css, js=(_HERE / "picker.js").read_text())


def _digit_sheet() -> np.ndarray:
    rows = load_gallery().images.reshape(-1, PER_CLASS, 28, 28)  # (10, 24, 28, 28)
    return rows.transpose(0, 2, 1, 3).reshape(len(rows) * 28, -1)  # (280, 672)


def _object_places() -> tuple[list[str], list[tuple[int, int]]]:
    """Classes in order, and where each object stands: its number in its class, and its class."""
    classes = load_objects().classes
    rows = list(dict.fromkeys(classes))
    return rows, [(classes[:i].count(name), rows.index(name)) for i, name in enumerate(classes)]


def _object_sheet() -> np.ndarray:
    side = 2 * _OBJECT
    rows, places = _object_places()
    sheet = np.zeros((len(rows) * side, (max(x for x, _ in places) + 1) * side), np.uint8)
    for i, (x, y) in enumerate(places):
        picture = thumbnail(load_objects().cloud(i).points, side)
        sheet[y * side : (y + 1) * side, x * side : (x + 1) * side] = picture
    return sheet


@dataclass(frozen=True)
class _Gallery:
    """What a picker shows.

    Attributes:
        component: see :func:`_component`.
        label: of the whole, for screen readers.
        kind: what one of it is, a word in the cells' ``data-testid``.
        names: of the cells, in order.
        places: their columns and rows.
        rows: what stands before each, if anything.
    """

    component: Callable
    label: str
    kind: str
    names: Sequence[str]
    places: Sequence[tuple[int, int]]
    rows: Sequence[str] = ()

    def pick(self, key: str, chosen: int | None) -> int | None:
        cells = [
            {"name": name, "x": x, "y": y}
            for name, (x, y) in zip(self.names, self.places, strict=True)
        ]
        data: dict[str, Any] = {
            "label": self.label,
            "kind": self.kind,
            "chosen": chosen,
            "rows": list(self.rows),
            "cells": cells,
        }
        picked = self.component(key=key, data=data, on_picked_change=_ignore).picked
        return None if picked is None else int(picked)


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""


def _of_digits() -> _Gallery:
    gallery = load_gallery()
    numbers = zip(gallery.labels, gallery.indices, strict=True)
    names = [f"a {label}, test digit {index}" for label, index in numbers]
    places = [(i % PER_CLASS, i // PER_CLASS) for i in range(len(names))]
    component = _component("ddeq.picker", _digit_sheet(), 28, 1, "none")
    return _Gallery(component, "Real handwritten digits", "digit", names, places)


def _of_objects() -> _Gallery:
    gallery = load_objects()
    named = zip(gallery.names, gallery.creators, strict=True)
    names = [f"{name} by {by}" for name, by in named]
    rows, places = _object_places()
    component = _component("ddeq.object-picker", _object_sheet(), _OBJECT, 2, "56px")
    return _Gallery(component, "Real objects", "object", names, places, rows)


_digits, _objects = _of_digits(), _of_objects()


def digit_picker(key: str, chosen: int | None) -> int | None:
    """Show the gallery of digits with number ``chosen`` marked.

    Returns:
        In the one rerun that follows a click: the number of the digit clicked. Else None.
    """
    return _digits.pick(key, chosen)


def object_picker(key: str, chosen: int | None) -> int | None:
    """Show the gallery of objects with number ``chosen`` marked.

    Returns:
        In the one rerun that follows a click: the number of the object clicked. Else None.
    """
    return _objects.pick(key, chosen)
