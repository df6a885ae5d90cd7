"""What every page has: where it begins, the models it uses and where it computes."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.device import pick_device
from ddeq.view.private import HEADER, MAIN

_STYLE = """<style>
[data-testid="{main}"] {{ padding-top: {top}; padding-bottom: {bottom}; }}
[data-testid="{header}"] {{ display: {bar}; }}
</style>"""
_IN_APP = "4.75rem", "3rem", "flex"
_ICON = Path(__file__).parent / "icon.svg"  # a material icon would be asked of a font host


def configure() -> None:
    """Title, icon and width of the browser's page."""
    st.set_page_config(page_title="DDEQ explorer", page_icon=str(_ICON), layout="wide")


def lay_out() -> None:
    """Begin right below the app's bar, so that a screen holds more; embedded pages have no bar."""
    top, bottom, bar = ("1rem", "1rem", "none") if st.context.is_embedded else _IN_APP
    st.html(_STYLE.format(main=MAIN, header=HEADER, top=top, bottom=bottom, bar=bar))


def load_model(name: str, device: str = "auto") -> Checkpoint:
    """A shipped model by its file's name, the same object for everybody.

    Args:
        name: without the suffix.
        device: of :func:`ddeq.run.device.pick_device`; ``auto`` is where the app computes.
    """
    return _loaded(name, str(pick_device(device)))


@st.cache_resource(show_spinner="Loading the model")
def _loaded(name: str, device: str) -> Checkpoint:
    return load(name, device)


def say_where(in_link: str = "Settings and what is picked are") -> None:
    """A line that says where the app computes, and what of the page is in its link."""
    name = "GPU" if pick_device().type == "cuda" else "CPU"
    st.caption(f"Running on the {name}. {in_link} in the link of this page.")


def say_limits(model: Checkpoint) -> None:
    """Where a model is weak, if its card says so."""
    if "limits" in model.card:
        st.caption(model.card["limits"])


def invite() -> None:
    """What to do where there is nothing to show yet."""
    st.info("Choose a digit or an object, upload one or draw a digit to begin.")
