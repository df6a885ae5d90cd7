"""What every page has: where it begins, the models it uses and where it computes."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ddeq.engine.log import tell_on_stderr
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.device import pick_device
from ddeq.view.glossary import say
from ddeq.view.private import HEADER, MAIN, STATUS, Place

_STYLE = (
    (Path(__file__).parent / "page.css").read_text()
    + f"""
[data-testid="{STATUS}"] {{ display: none; }}
"""
)  # long work has a Stop beside its progress, which keeps what has come of it
_EMBEDDED = f"""
[data-testid="{HEADER}"] {{ display: none; }}
[data-testid="{MAIN}"] {{ padding-block: 1rem; }}
"""
_ICON = Path(__file__).parent / "icon.svg"  # a material icon would be asked of a font host


def configure() -> None:
    """Title, icon and width of the browser's page; and solves are told where the server tells."""
    tell_on_stderr()
    st.set_page_config(page_title="DDEQ explorer", page_icon=str(_ICON), layout="wide")


def lay_out() -> None:
    """Begin right below the app's bar, so that a screen holds more; embedded pages have no bar."""
    st.html(f"<style>{_STYLE}{_EMBEDDED if st.context.is_embedded else ''}</style>")


def columns(kind: str) -> list[Place]:
    """Two columns, the narrow one first; one below the other where they would be too narrow.

    Args:
        kind: "stage" where the second holds the page's one view, which then comes right after the
            first element of the first column; else "forms".
    """
    with st.container(key=f"columns-{kind}"):
        return st.columns([2, 5], gap="medium")


def title(text: str, introduction: str) -> None:
    """The page's title in one line, with what it is about behind a button.

    Args:
        text: of the title.
        introduction: Markdown with the marks of :func:`ddeq.view.glossary.say`.
    """
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key="page-title")
    with row:
        st.title(text, anchor=False, width="content")
        with st.popover("About", type="tertiary"):
            say(introduction)


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
