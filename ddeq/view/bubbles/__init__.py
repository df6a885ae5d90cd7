"""Bubbles that explain what is pointed at, focused or tapped: whatever carries ``data-tip``."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "ddeq.bubbles",
    css=(_HERE / "bubbles.css").read_text(),
    js=(_HERE / "bubbles.js").read_text(),
    isolate_styles=False,  # they are for all of the page
)


def explain_what_is_pointed_at() -> None:
    """Have the page's terms and symbols explain themselves; once a page, before them."""
    _component(key="ddeq-bubbles")
