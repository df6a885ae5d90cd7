"""How an engine answers a request from elsewhere, whatever carries the bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from ddeq.engine.job import Job
from ddeq.engine.request import Request
from ddeq.engine.wire import Kind, pack
from ddeq.errors import UserError


async def answer(text: bytes, start: Callable[[Request], Job]) -> AsyncGenerator[bytes, None]:
    """The messages of :mod:`ddeq.engine.wire`, each as soon as it is known.

    Where nobody listens any longer, and the iterator is closed, the job is cancelled.

    Args:
        text: a request as JSON.
        start: takes it on.
    """
    try:
        job = start(Request.from_json(text))
    except UserError as error:
        yield pack(Kind.REFUSAL, str(error))
        return
    try:
        while (chunk := await asyncio.to_thread(next, job, None)) is not None:
            if chunk:
                yield pack(Kind.CHUNK, chunk)
            else:  # a sign of life, too
                yield pack(Kind.PLACE, job.place)
        yield pack(Kind.OUTCOME, job.outcome)
    except UserError as error:
        yield pack(Kind.REFUSAL, str(error))
    finally:
        job.cancel()
