"""One line a solve: what was solved, how large it was, and what came of it.

What people call their files is not told. Lines go to the logger ``ddeq.solves``.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from ddeq.run.base import Run

SOLVES = logging.getLogger("ddeq.solves")


def log_solve(run: Run[Any]) -> None:
    """Tell of a run that has ended."""
    solution = run.flow.solution
    outcome = solution.stopped[0].value.replace(" ", "-")
    _tell(run, int(solution.steps[0]), solution.seconds, outcome)


def log_failure(run: Run[Any], error: Exception) -> None:
    """Tell of a run that could not go on; of the error its kind alone, as texts may name files."""
    _tell(run, 0, 0.0, f"failed-{type(error).__name__}")


def _tell(run: Run[Any], steps: int, seconds: float, outcome: str) -> None:
    _, particles, width = run.flow.z0.shape
    SOLVES.info(
        "solve model=%s size=%dx%d steps=%d ms=%.0f outcome=%s",
        run.name,
        particles,
        width,
        steps,
        1000 * seconds,
        outcome,
    )


def tell_on_stderr() -> None:
    """From now on the lines are written to stderr; again changes nothing."""
    if not SOLVES.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        SOLVES.addHandler(handler)
        SOLVES.setLevel(logging.INFO)
        SOLVES.propagate = False
