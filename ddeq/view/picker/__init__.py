"""The gallery of real digits as a grid of thumbnails, one row a class."""

import base64
import io
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from ddeq.gallery import PER_CLASS, load_gallery

_HERE = Path(__file__).parent


def _sprite() -> str:
    """All thumbnails as one PNG in a data URL, ink as opacity, so that a theme can colour it."""
    rows = load_gallery().images.reshape(-1, PER_CLASS, 28, 28)  # (10, 24, 28, 28)
    ink = rows.transpose(0, 2, 1, 3).reshape(len(rows) * 28, -1)  # (280, 672)
    out = io.BytesIO()
    Image.fromarray(np.stack([np.zeros_like(ink), ink], axis=-1), "LA").save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


_component = st.components.v2.component(
    "ddeq.picker",
    css=(_HERE / "picker.css").read_text().replace("SPRITE", _sprite()),
    js=(_HERE / "picker.js").read_text(),
)


def digit_picker(key: str, chosen: int | None) -> int | None:
    """Show the gallery with digit ``chosen`` marked.

    Returns:
        In the one rerun that follows a click: the number of the digit clicked. Else None.
    """
    gallery = load_gallery()
    data = {
        "chosen": chosen,
        "columns": PER_CLASS,
        "names": [
            f"a {label}, test digit {index}"
            for label, index in zip(gallery.labels, gallery.indices, strict=True)
        ],
    }
    result = _component(key=key, data=data, on_digit_change=_ignore)
    return None if result.digit is None else int(result.digit)


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""
