"""A long computation that shows how far it is, can be stopped, and survives the page's reruns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

SECONDS_A_ROUND = 0.3


class Snapshot(Protocol):
    """The result so far."""

    progress: float


@dataclass
class Job:
    """An iterator of snapshots in progress or done; any thread may call its methods.

    As for a :class:`ddeq.view.live.LiveRun`, two script runs may be at work on one job.

    Attributes:
        request: what it was asked for.
        work: yields snapshots.
        latest: of them; None before the first.
        done: whether no more will come.
        stopped: whether it ended because it was asked to.
    """

    request: Any
    work: Iterable[Snapshot]
    latest: Any = None
    done: bool = False
    stopped: bool = False

    def __post_init__(self) -> None:
        self._snapshots = iter(self.work)
        self._stopping = False
        self._working = threading.Lock()

    def stop(self) -> None:
        """Ask the job to end with what it has."""
        self._stopping = True

    def round(self) -> None:
        """Work for a moment, until there is something new to show."""
        with self._working:
            until = time.monotonic() + SECONDS_A_ROUND
            while not self.done:
                if self._stopping and self.latest is not None:
                    self.done = self.stopped = True
                    return
                found = next(self._snapshots, None)
                self.done = found is None
                self.latest = found or self.latest
                if time.monotonic() >= until:
                    return


def work_through(job: Job, key: str, doing: str, show: Callable[[Job], None]) -> None:
    """Bring a job to its end with progress and Stop, calling ``show`` after every round.

    Args:
        job: done or not.
        key: of the button.
        doing: what is going on, in a few words.
        show: writes the result so far, replacing what it wrote before.
    """
    headline, stage = st.empty(), st.empty()
    if not job.done:
        with headline.container(horizontal=True, vertical_alignment="center"):
            st.button("Stop", icon=":material/stop_circle:", key=f"{key}-stop", on_click=job.stop)
            bar = st.empty()
        while not job.done:
            job.round()
            bar.progress(min(1.0, job.latest.progress), doing)
            if not job.done:
                with stage.container():
                    show(job)
        headline.empty()
    with stage.container():
        show(job)
