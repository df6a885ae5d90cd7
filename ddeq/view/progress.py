"""Long work on a page: how far it is, Stop, and what has come of it so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from ddeq.engine.work import Work, advance
from ddeq.view.words import in_line

T = TypeVar("T")


def stop_button(works: Sequence[Work[Any]], key: str) -> None:
    """A button that stops all of the works."""

    def stop() -> None:
        for work in works:
            work.stop()

    st.button(
        "Stop",
        icon=":material/stop_circle:",
        key=f"{key}-stop",
        on_click=stop,
    )


def work_through(
    work: Work[T],
    key: str,
    progress: Callable[[T], tuple[float, str]],
    show: Callable[[list[T]], None],
) -> None:
    """Bring work to its end with progress and Stop, and show what it yields as it comes.

    Args:
        work: in progress or done.
        key: of the button.
        progress: of an item, the share that is done and what is going on.
        show: draws the items so far, replacing what it drew before; not called before the first.
    """
    headline, stage = st.empty(), st.empty()

    def show_items() -> None:
        if work.items:
            with stage.container():
                show(work.items)

    if not work.done:
        with headline.container(horizontal=True, vertical_alignment="center"):
            stop_button([work], key)
            bar = st.empty()

        def show_progress() -> None:
            waiting = in_line(work.place)
            share, doing = progress(work.items[-1]) if work.items else (0.0, "")
            if waiting or doing:
                bar.progress(min(1.0, share), waiting + doing)
            if not work.done:
                show_items()

        advance([work], show_progress)
        headline.empty()
    show_items()
    if not work.items:
        stage.info("Nothing came of it: there was nothing to do.")
