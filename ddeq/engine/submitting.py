"""Where solves are done: the one place that chooses an engine."""

from __future__ import annotations

from ddeq.engine.job import Job
from ddeq.engine.local import LocalJob
from ddeq.engine.request import Request
from ddeq.run.device import pick_device


def submit(request: Request) -> Job:
    """Have a request solved; iterate over the job for what comes of it.

    Raises:
        UserError: there is no such model.
    """
    return LocalJob(request, pick_device())
