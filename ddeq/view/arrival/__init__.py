"""The browser's history: a page is entered there once, whatever is carried to it."""

from pathlib import Path

import streamlit as st

_component = st.components.v2.component(
    "ddeq.arrival", js=(Path(__file__).parent / "arrival.js").read_text()
)


def enter_once() -> None:
    """Have Back lead to the page before, whatever has been carried here; once a page."""
    _component(key="ddeq-arrival", height=0)
