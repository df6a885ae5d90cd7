"""Work of some seconds that survives the page's reruns, with progress and Stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import streamlit as st

from ddeq.view.learn.frame import controls

T = TypeVar("T")
SECONDS_A_VIEW = 0.4


class Work(Generic[T]):
    """An iterator whose items are kept; of a rerun's two threads only one takes the next.

    Attributes:
        items: found so far.
        done: whether no more will come.
    """

    def __init__(self, source: Iterator[T]) -> None:
        self.items: list[T] = []
        self.done = False
        self._source = source
        self._taking = threading.Lock()

    def advance(self) -> None:
        """Take one more item."""
        with self._taking:
            if self.done:
                return
            try:
                self.items.append(next(self._source))
            except StopIteration:
                self.done = True

    def stop(self) -> None:
        """No more after this; what was found stays."""
        self.done = True


def work(
    key: str,
    verb: str,
    begin: Callable[[], Iterator[T]],
    show: Callable[[list[T]], None],
    progress: Callable[[T], tuple[float, str]],
    note: str,
) -> list[T]:
    """Buttons to start and stop some work, its progress, and what it has found; the latter.

    Args:
        key: of the work in the session.
        verb: on the button.
        begin: makes the iterator.
        show: draws what was found so far; it is called again and again in one place.
        progress: share done and a text, of an item.
        note: what it will do, beside the buttons.
    """
    name = f"learn-work-{key}"
    present: Work[T] | None = st.session_state.get(name)
    running = present is not None and not present.done

    def start() -> None:
        st.session_state[name] = Work(begin())

    with controls(key), st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"{verb} again" if present else verb,
            type="primary",
            icon=":material/play_arrow:",
            disabled=running,
            on_click=start,
            key=f"{name}-start",
        )
        if running:
            st.button(
                "Stop", icon=":material/stop_circle:", on_click=present.stop, key=f"{name}-stop"
            )
        st.caption(note)
    bar, stage = st.empty(), st.empty()
    if present is None:
        return []
    shown = 0.0
    while not present.done:
        present.advance()
        if present.items and time.monotonic() - shown > SECONDS_A_VIEW:
            bar.progress(*progress(present.items[-1]))
            with stage.container():
                show(present.items)
            shown = time.monotonic()
    if running:
        st.rerun()  # so that the buttons know
    if present.items:
        with stage.container():
            show(present.items)
    return present.items
