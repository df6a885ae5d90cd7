"""Experiments that run when a button is pressed, and stay until the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import streamlit as st

from ddeq.engine.work import Work
from ddeq.view.progress import work_through
from ddeq.view.session import Kept, Name


class Snapshot(Protocol):
    """The result of an experiment so far."""

    @property
    def progress(self) -> float: ...


@dataclass(frozen=True)
class Job:
    """An experiment that was asked for.

    Attributes:
        identity: equal to that of another job which was asked for the same.
        request: what it needs to be shown.
        work: keeps the newest snapshot alone.
    """

    identity: Any
    request: Any
    work: Work[Snapshot]

    @property
    def latest(self) -> Any:
        """The newest snapshot, of which there is one wherever something is shown."""
        return self.work.items[-1]

    @property
    def done(self) -> bool:
        return self.work.done


@dataclass(frozen=True)
class Experiment:
    """A kind of job.

    Attributes:
        name: under which the session keeps the last one.
        label, icon: of the button.
        past: what the button did, as in "what you *measured* last".
        doing: what is going on, in a few words.
    """

    name: Name
    label: str
    icon: str
    past: str
    doing: str

    def ask(
        self, identity: Any, request: Any, begin: Callable[[], Iterable[Snapshot]]
    ) -> Job | None:
        """The button, and the job begun last; says so where that was asked for something else.

        Args:
            identity: of what is chosen now; None where that makes no sense.
            request: see :class:`Job`.
            begin: makes the snapshots.
        """
        kept: Kept[Job] = Kept(self.name)
        pressed = st.button(self.label, type="primary", icon=self.icon, disabled=identity is None)
        if pressed:
            kept.put(Job(identity, request, Work(begin(), kept=1)))
        job = kept.get()
        if job is not None and job.identity != identity:
            st.info(f"Below is what you {self.past} last. Press the button for what is chosen now.")
        return job

    def show(self, job: Job, show: Callable[[Job], None]) -> None:
        """Bring a job to its end with progress and Stop, calling ``show`` as snapshots come."""
        work_through(
            job.work,
            self.name.rpartition(".")[2],
            lambda latest: (latest.progress, self.doing),
            lambda _: show(job),
        )
