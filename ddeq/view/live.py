"""A run that streams into the player, and says in plain words why it ended."""

from __future__ import annotations

from typing import Any, TypeVar

from ddeq.engine.stream import BUDGET as BUDGET
from ddeq.engine.stream import StreamedRun
from ddeq.run.base import Run
from ddeq.view.words import ending

R = TypeVar("R", bound=Run[Any], covariant=True)


class LiveRun(StreamedRun[R]):
    """One solve in progress or done, as :class:`StreamedRun`."""

    def _status(self) -> str:
        return ending(self.run.outcome)
