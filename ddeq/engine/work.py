"""Long work that survives the page's reruns: runs of a solver, experiments, a training.

A Streamlit script may be interrupted at any widget; the work and what it has yielded are kept in
the session, and the next script run goes on where the last one was left. The next one begins on a
thread of its own, while the last one still works up to the widget that will end it, so both may
be at it at once. All work of a process is done in turns (:mod:`ddeq.engine.turns`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from ddeq.engine.turns import TURNS, Ticket, Turns

T = TypeVar("T")


class Work(Generic[T]):
    """An iterator in progress or done; any thread may call its methods.

    Args:
        source: yields what is worth showing.
        kept: how many of the last items stay; None keeps all.
        turns: in which it is done; those of the process.

    Attributes:
        items: yielded so far, the newest last. Empty before the first, and for good where the
            source yields nothing.
        done: whether no more will come.
        place: in the line of those who wait for a turn, from 1; None where it does not wait.
    """

    SECONDS_A_ROUND = 0.3
    PATIENCE = 0.3  # seconds, until someone is told that they wait

    def __init__(self, source: Iterable[T], kept: int | None = None, turns: Turns = TURNS) -> None:
        self.items: list[T] = []
        self.done = False
        self.place: int | None = None
        self._turns = turns
        self._ticket: Ticket | None = None
        self._source = iter(source)
        self._kept = kept
        self._stopping = False
        self._error: Exception | None = None
        self._taking = threading.Lock()

    def stop(self) -> None:
        """Ask the work to end with what it has; with its first item where it has none."""
        self._stopping = True

    def round(self) -> None:
        """Work for a moment, until there is something new to show; at first, for one item.

        Where others are at work, it returns after :attr:`PATIENCE` with nothing done, and
        ``place`` says how many are before it; the next call keeps that place.

        Raises:
            Exception: what the source raised, in every later round too.
        """
        with self._taking:
            if self._error is not None:
                raise self._error
            if self.done:  # by another thread, while this one waited for its turn
                return
            self._ticket = self._ticket or Ticket(later=bool(self.items))
            with self._turns.turn(self._ticket, self.PATIENCE) as came:
                self.place = None if came else self._turns.place(self._ticket)
                if came:
                    self._ticket = None
                    self._work()

    def _work(self) -> None:
        moment = self.SECONDS_A_ROUND if self.items else 0
        try:
            new, ended = self._take(time.monotonic() + moment)
            self._keep(new)
            if ended and self.items:
                self._conclude()
        except Exception as error:
            self._error = error
            raise
        self.done = ended  # last, for who sees it may take what is kept as complete

    def _take(self, until: float) -> tuple[list[T], bool]:
        """What the source yields up to this time, and whether the work has ended."""
        new: list[T] = []
        if self._stopping and self.items:
            return new, True
        for item in self._source:
            new.append(item)
            if self._stopping:
                return new, True
            if time.monotonic() >= until:
                return new, False
        return new, True

    def _keep(self, new: list[T]) -> None:
        """Called with what a round has yielded, all at once."""
        items = [*self.items, *new]
        self.items = items if self._kept is None else items[-self._kept :]

    def _conclude(self) -> None:
        """Called once, when no more will come of work that has yielded something."""


def advance(works: Sequence[Work[Any]], show: Callable[[], None]) -> None:
    """Bring all to their ends, a round of each in turn, calling ``show`` after every turn."""
    while not all(work.done for work in works):
        for work in works:
            work.round()
        show()


def go_through(source: Iterable[Any], turns: Turns = TURNS) -> None:
    """Bring something to its end in turns, where nothing is to be shown of it meanwhile.

    Raises:
        Exception: what the source raised.
    """
    advance([Work(source, kept=1, turns=turns)], lambda: None)
