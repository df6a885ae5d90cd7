"""A solve that an engine has taken on, wherever it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any


class Job(ABC, Iterator[bytes]):
    """Chunks of a solve as they come: put together they are a file of docs/player-format.md.

    A chunk may be empty: then nothing is new but, perhaps, the place in line. What goes wrong for
    good is raised by the iteration, as a :class:`ddeq.errors.UserError` where it is the request's.

    Attributes:
        place: in the line of those who wait, from 1; None where it does not wait.
        outcome: once it has ended what came of it, plain values as the run's outcome tells them;
            of a completion ``filled``, too, the free particles ``(N, d)`` in the cloud's units.
    """

    place: int | None = None
    outcome: dict[str, Any] | None = None

    @abstractmethod
    def cancel(self) -> None:
        """Have it end with what it has; what is there still comes. Any thread may call it."""
