"""A run that streams into the player and survives the page's reruns.

A Streamlit script may be interrupted at any widget; the run and the pieces already sent are kept
in the session, and the next script run goes on where the last one was left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ddeq.projection import Projection
from ddeq.run import ClassifierRun, Frame
from ddeq.view.player import Trajectory, encode_chunk, encode_header
from ddeq.view.trajectory import trajectory
from ddeq.view.words import ending

SECONDS_A_CHUNK = 0.15


@dataclass
class LiveRun:
    """One solve in progress or done.

    Attributes:
        run: the solve itself.
        name: of the input.
        points: the model's input ``(M, 2)``.
        true_label: the right class, if known.
        frames: recorded so far.
        pieces: of the player's file, sent so far.
        done: whether no more will come.
    """

    run: ClassifierRun
    name: str
    points: object
    true_label: str | None
    frames: list[Frame] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        self._projection: Projection = self.run.projection()
        self._steps: Iterator[Frame] = iter(self.run)
        self._sent = 0

    def stop(self) -> None:
        """End the run where it is; what it has recorded stays."""
        if not self.done:
            self._finish()

    def advance(self, show: Callable[[], None]) -> None:
        """Solve to the end, calling ``show`` after every chunk of frames."""
        while not self.done:
            until = time.monotonic() + (SECONDS_A_CHUNK if self._sent else 0)
            for frame in self._steps:
                self.frames.append(frame)
                if time.monotonic() >= until:
                    break
            else:
                self._finish()
            self._send()
            show()

    def _as_trajectory(self, frames: list[Frame]) -> Trajectory:
        return trajectory(
            frames,
            label=self.name,
            projection=self._projection,
            labels=self.run.labels,
            points=self.points,
            true_label=self.true_label,
            moved_by_gradient=self.run.settings.solver.needs_velocity,
        )

    def _send(self) -> None:
        new = self.frames[self._sent :]
        if not new:
            return
        part = self._as_trajectory(new)
        if not self.pieces:
            self.pieces.append(encode_header(part))
        self.pieces.append(encode_chunk(self._sent, part))
        self._sent += len(new)

    def _finish(self) -> None:
        self._send()
        self.done = True
        if self.frames:
            last = self._as_trajectory(self.frames[-1:])
            status = ending(self.run.outcome)
            self.pieces.append(
                encode_chunk(len(self.frames), replace(last.frames(0, 0), status=status))
            )
