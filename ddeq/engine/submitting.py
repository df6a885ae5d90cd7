"""Where solves are done: the one place that chooses an engine."""

from __future__ import annotations

from ddeq.engine.job import Job
from ddeq.engine.local import LocalJob
from ddeq.engine.remote import RemoteJob, engine_address
from ddeq.engine.request import Request
from ddeq.run.device import pick_device


def submit(request: Request) -> Job:
    """Have a request solved; iterate over the job for what comes of it.

    It is solved where ``DDEQ_ENGINE`` says, in this process where it says nothing.

    Raises:
        UserError: there is no such model, or what ``DDEQ_ENGINE`` says is no address.
    """
    address = engine_address()
    return RemoteJob(request, address) if address else LocalJob(request, pick_device())
