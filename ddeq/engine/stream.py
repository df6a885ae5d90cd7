"""A run as it is told to who watches it: pieces of the player's format, as soon as they are known.

docs/player-format.md has the format; a run that is left in the midst has a valid file, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from ddeq.engine.log import log_failure, log_solve
from ddeq.engine.turns import TURNS, Turns
from ddeq.engine.work import Work
from ddeq.run.base import Run
from ddeq.run.budget import Budget
from ddeq.run.format import Trajectory, encode_chunk, encode_header

R = TypeVar("R", bound=Run[Any], covariant=True)

BUDGET = Budget(numbers=64e6, seconds=120)
"""Of one run: a quarter of a gigabyte, and as long as somebody may want to watch."""


class StreamedRun(Work[Any], Generic[R]):
    """One solve in progress or done.

    Args:
        run: the solve itself.
        as_trajectory: some consecutive frames of it as the player shows them.
        judge: what is added to the frames of a round, all at once.
        turns: in which it is done; those of the process.
        after: so many frames are known already and make no pieces; the header, too, if any is.

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
        turns: Turns = TURNS,
        after: int = 0,
    ) -> None:
        super().__init__(run, turns=turns)
        run.within(BUDGET)
        self.run = run
        self.pieces: list[bytes] = []
        self._as_trajectory = as_trajectory
        self._judge = judge
        self._after = after

    @property
    def frames(self) -> list[Any]:
        return self.items

    def frame_at(self, step: int) -> int:
        """The place of the last frame up to a step."""
        return max(k for k, frame in enumerate(self.frames) if frame.step <= max(step, 0))

    def _work(self) -> None:
        try:
            super()._work()
        except Exception as error:
            log_failure(self.run, error)
            raise

    def _keep(self, new: list[Any]) -> None:
        if not new:
            return
        judged, first = self._judge(new), len(self.frames)
        known = max(0, self._after - first)
        if known < len(judged):
            part = self._as_trajectory(judged)
            if not self._after and not self.pieces:
                self.pieces.append(encode_header(part))
            rest = part.frames(known, len(judged)) if known else part
            self.pieces.append(encode_chunk(first + known, rest))
        super()._keep(judged)

    def _conclude(self) -> None:
        last = self._as_trajectory(self.frames[-1:])
        self.pieces.append(
            encode_chunk(len(self.frames), replace(last.frames(0, 0), status=self._status()))
        )
        log_solve(self.run)

    def _status(self) -> str:
        """Why the run ended, in a sentence."""
        return f"Ended: {self.run.outcome.stopped.value}."
