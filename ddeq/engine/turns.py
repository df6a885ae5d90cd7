"""Whose turn it is: so many works at once, the others in line.

Work is done in turns of a fraction of a second. Who has nothing to show yet comes before those who
have, and each of these goes to the end of the line after its turn: so everyone soon sees something,
and a long solve keeps nobody from a short one.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_numbers = itertools.count()


@dataclass(frozen=True, order=True)
class Ticket:
    """A place in line: lower goes first.

    Attributes:
        later: whether there is something to show already.
        number: in order of arrival.
    """

    later: bool
    number: int = field(default_factory=lambda: next(_numbers))


class Turns:
    """At most ``at_once`` turns at a time; any thread may ask.

    Args:
        at_once: from 1.

    Raises:
        ValueError: nobody could ever work.
    """

    def __init__(self, at_once: int) -> None:
        if at_once < 1:
            raise ValueError("At least one must be allowed to work.")
        self._free = at_once
        self._waiting: set[Ticket] = set()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, ticket: Ticket, patience: float | None = None) -> Iterator[bool]:
        """Wait for a turn, and hold it within; whether it came while there was patience.

        Who comes back with the same ticket has kept the place in line.

        Args:
            ticket: of who asks.
            patience: in seconds; None waits until it comes.
        """
        came = self._wait(ticket, patience)
        try:
            yield came
        finally:
            if came:
                with self._changed:
                    self._free += 1
                    self._changed.notify_all()

    def _wait(self, ticket: Ticket, patience: float | None) -> bool:
        with self._changed:
            self._waiting.add(ticket)
            try:
                came = self._changed.wait_for(lambda: self._place(ticket) <= self._free, patience)
                self._free -= came
            finally:
                self._waiting.discard(ticket)
                self._changed.notify_all()
            return came

    def _place(self, ticket: Ticket) -> int:
        return 1 + sum(other < ticket for other in self._waiting)

    def place(self, ticket: Ticket) -> int:
        """Which in line a ticket is, from 1, counting those who wait at this moment."""
        with self._changed:
            return self._place(ticket)


def allowed() -> int:
    """How many works go on at once in this process: ``DDEQ_SOLVES``, or as many as cores.

    What is not a whole number from 1 counts as not said.
    """
    said = os.environ.get("DDEQ_SOLVES", "")
    return int(said) if said.isdecimal() and int(said) >= 1 else os.cpu_count() or 1


TURNS = Turns(allowed())
"""Those of this process, which all its sessions share."""
