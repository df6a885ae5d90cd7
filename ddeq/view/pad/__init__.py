"""A square to draw a digit in, with mouse, finger or pen."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "ddeq.pad",
    css=(_HERE / "pad.css").read_text(),
    js=(_HERE / "pad.js").read_text(),
)


def drawing_pad(key: str, *, size: int = 280) -> list[list[tuple[float, float]]] | None:
    """A drawing canvas of at most `size` pixels with Undo, Clear and Use this drawing.

    Returns:
        In the one rerun that follows "Use this drawing": the strokes, each a list of points
        (x, y) in the unit square with y pointing down. Else None.
    """
    result = _component(key=key, data={"size": size}, on_strokes_change=_ignore)
    if not result.strokes:
        return None
    return [[(float(x), float(y)) for x, y in stroke] for stroke in result.strokes]


def _ignore() -> None:
    """Streamlit reports a trigger only where a callback is given."""
