"""A run that streams into the player and survives the page's reruns.

A Streamlit script may be interrupted at any widget; the run and the pieces already sent are kept
in the session, and the next script run goes on where the last one was left. The next one begins
on a thread of its own, while the last one still solves up to the widget that will end it, so both
may be at work on one run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ddeq.run.base import Run
from ddeq.view.player import Trajectory, encode_chunk, encode_header
from ddeq.view.words import ending

SECONDS_A_CHUNK = 0.15


@dataclass
class LiveRun:
    """One solve in progress or done; any thread may call its methods.

    Attributes:
        run: the solve itself.
        as_trajectory: some consecutive frames of it as the player shows them.
        judge: what is added to the frames of a chunk, all at once.
        frames: recorded and judged so far.
        pieces: of the player's file, sent so far.
        done: whether no more will come.
    """

    run: Run
    as_trajectory: Callable[[Sequence[Any]], Trajectory]
    judge: Callable[[Sequence[Any]], list[Any]] = list
    frames: list[Any] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        self._steps = iter(self.run)
        self._stopping = False
        self._solving = threading.Lock()

    def stop(self) -> None:
        """Ask the run to end after its next frame; what it has recorded stays."""
        self._stopping = True

    def solve_chunk(self) -> None:
        """Solve for a moment, until there are frames worth showing."""
        with self._solving:
            if self.done:  # by another thread, while this one waited for its turn
                return
            new, ended = self._record(time.monotonic() + (SECONDS_A_CHUNK if self.pieces else 0))
            self._send(self.judge(new))
            if ended:
                self._send_ending()
                self.done = True  # last, for who sees it may take the pieces as complete

    def _record(self, until: float) -> tuple[list[Any], bool]:
        """The frames up to this time, and whether the run has ended."""
        new = []
        for frame in self._steps:
            new.append(frame)
            if self._stopping:
                return new, True
            if time.monotonic() >= until:
                return new, False
        return new, True

    def _send(self, new: list[Any]) -> None:
        if not new:
            return
        part = self.as_trajectory(new)
        if not self.pieces:
            self.pieces.append(encode_header(part))
        self.pieces.append(encode_chunk(len(self.frames), part))
        self.frames += new

    def _send_ending(self) -> None:
        last = self.as_trajectory(self.frames[-1:])
        status = ending(self.run.outcome)
        self.pieces.append(
            encode_chunk(len(self.frames), replace(last.frames(0, 0), status=status))
        )


def advance(runs: Sequence[LiveRun], show: Callable[[], None]) -> None:
    """Solve all to their ends, a chunk of each in turn, calling ``show`` after every round."""
    while not all(run.done for run in runs):
        for run in runs:
            run.solve_chunk()
        show()
