"""Work of some seconds that a student starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import streamlit as st

from ddeq.engine.work import Work
from ddeq.view.learn.frame import controls
from ddeq.view.progress import work_through
from ddeq.view.session import Kept, Name

T = TypeVar("T")


def offer_work(
    name: Name,
    button: tuple[str, str],
    begin: Callable[[], Iterator[T]],
    progress: Callable[[T], tuple[float, str]],
    show: Callable[[list[T]], None],
) -> list[T]:
    """A button to start some work, its progress, and what it has found; the latter.

    Args:
        name: under which the session keeps it.
        button: the verb on it, and what it will do, beside it.
        begin: makes the items.
        progress, show: see :func:`ddeq.view.progress.work_through`.
    """
    kept: Kept[Work[T]] = Kept(name)
    present = kept.get()
    running = present is not None and not present.done
    verb, note = button

    def start() -> None:
        kept.put(Work(begin()))

    with controls(name), st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"{verb} again" if present else verb,
            type="primary",
            icon=":material/play_arrow:",
            disabled=running,
            on_click=start,
            key=f"{name}-start",
        )
        st.caption(note)
    if present is None:
        return []
    work_through(present, name, progress, show)
    if running:
        st.rerun()  # so that the button knows
    return present.items
