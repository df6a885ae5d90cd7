"""Solves that are done where ``DDEQ_ENGINE`` says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ddeq.engine import Job
from ddeq.errors import UserError
from ddeq.shipped import ASSETS


def shipped_name(weights: Path | str) -> str:
    """The name by which an engine elsewhere knows a model: its own, or that of its file.

    Raises:
        UserError: it is a file of one's own.
    """
    path = Path(weights)
    if path.suffix and path.resolve().parent != ASSETS.resolve():
        raise UserError(
            f"{path.name} is on this machine alone, so unset DDEQ_ENGINE to solve here, or give a "
            "model that ships."
        )
    return path.stem


def finished(job: Job) -> dict[str, Any]:
    """What came of a job, once it has ended; meanwhile stderr tells of the place in line.

    Raises:
        UserError: the engine refuses it or cannot be reached.
    """
    told: int | None = None
    for _ in job:
        if job.place is not None and job.place != told:
            print(f"Others are solving: number {job.place} in line.", file=sys.stderr)
        told = job.place
    return dict(job.outcome or {})
