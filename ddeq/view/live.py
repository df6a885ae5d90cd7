"""A run that streams into the player."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from ddeq.engine.work import Work
from ddeq.run.base import Run
from ddeq.run.budget import Budget
from ddeq.view.player import Trajectory, encode_chunk, encode_header
from ddeq.view.words import ending

R = TypeVar("R", bound=Run[Any], covariant=True)

BUDGET = Budget(numbers=64e6, seconds=120)
"""Of one run in the app: a quarter of a gigabyte, and as long as somebody may want to watch."""


class LiveRun(Work[Any], Generic[R]):
    """One solve in progress or done.

    Args:
        run: the solve itself.
        as_trajectory: some consecutive frames of it as the player shows them.
        judge: what is added to the frames of a round, all at once.

    Attributes:
        frames: recorded and judged so far.
        pieces: of the player's file, sent so far.
    """

    SECONDS_A_ROUND = 0.15

    def __init__(
        self,
        run: R,
        as_trajectory: Callable[[Sequence[Any]], Trajectory],
        judge: Callable[[Sequence[Any]], list[Any]] = list,
    ) -> None:
        super().__init__(run)
        run.within(BUDGET)
        self.run = run
        self.pieces: list[bytes] = []
        self._as_trajectory = as_trajectory
        self._judge = judge

    @property
    def frames(self) -> list[Any]:
        return self.items

    def frame_at(self, step: int) -> int:
        """The place of the last frame up to a step."""
        return max(k for k, frame in enumerate(self.frames) if frame.step <= max(step, 0))

    def _keep(self, new: list[Any]) -> None:
        if not new:
            return
        judged = self._judge(new)
        part = self._as_trajectory(judged)
        if not self.pieces:
            self.pieces.append(encode_header(part))
        self.pieces.append(encode_chunk(len(self.frames), part))
        super()._keep(judged)

    def _conclude(self) -> None:
        last = self._as_trajectory(self.frames[-1:])
        status = ending(self.run.outcome)
        self.pieces.append(
            encode_chunk(len(self.frames), replace(last.frames(0, 0), status=status))
        )
