"""The engine as a service of Ray Serve, which starts copies as they are needed.

Ray comes with the extra ``[serve]``. It tells at ``/-/healthz`` whether the service is well, and
collects for Prometheus what :func:`_measures` counts.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import torch

from ddeq.engine.answering import answer
from ddeq.engine.job import Job
from ddeq.engine.local import LocalJob
from ddeq.engine.log import tell_on_stderr
from ddeq.engine.request import Request
from ddeq.run.device import pick_device

ROOM = 100 * 2**20  # bytes of Ray's store of objects, of which chunks take little


@dataclass(frozen=True)
class Place:
    """Where the service is, and how large.

    Attributes:
        host, port: where it listens.
        replicas: the most copies, each with a core, or a GPU where there is one.
        waiting: jobs of a copy at which another is started.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    replicas: int = 1
    waiting: int = 4


def start(place: Place) -> None:
    """Start the service, which then goes on in processes of its own until :func:`stop`.

    Raises:
        ModuleNotFoundError: Ray is missing.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody else is told
    import ray
    from ray import serve

    ray.init(
        num_cpus=place.replicas,
        object_store_memory=ROOM,
        include_dashboard=False,
        log_to_driver=True,
    )
    serve.start(http_options={"host": place.host, "port": place.port})
    serve.run(_application(place))


def stop() -> None:
    """End the service and all its processes."""
    import ray
    from ray import serve

    serve.shutdown()
    ray.shutdown()


def _application(place: Place) -> Any:
    """The deployment, as Ray Serve takes it."""
    from ray import serve

    deployment = serve.deployment(
        ray_actor_options={"num_cpus": 1, "num_gpus": int(torch.cuda.is_available())},
        max_ongoing_requests=100,
        autoscaling_config={
            "min_replicas": 1,
            "max_replicas": place.replicas,
            "target_ongoing_requests": place.waiting,
        },
    )
    return deployment(Solves).bind()


class Solves:
    """A copy of the service: takes requests as JSON and streams what comes of them."""

    def __init__(self) -> None:
        tell_on_stderr()
        self._device = pick_device()
        self._ended, self._steps, self._there = _measures()
        self._open = 0

    async def __call__(self, request: Any) -> Any:
        """Answer an HTTP request, as Starlette hands it over."""
        from starlette.responses import StreamingResponse

        told = self._told(await request.body())
        return StreamingResponse(told, media_type="application/octet-stream")

    async def _told(self, text: bytes) -> AsyncGenerator[bytes, None]:
        jobs: list[Job] = []

        def begin(asked: Request) -> Job:
            jobs.append(LocalJob(asked, self._device))
            return jobs[-1]

        self._count(1)
        try:
            async with aclosing(answer(text, begin)) as messages:
                async for message in messages:
                    yield message
        finally:
            self._count(-1)
            for outcome in (job.outcome for job in jobs if job.outcome is not None):
                self._ended.inc(1, {"outcome": outcome["stopped"]})
                self._steps.inc(max(1, outcome["steps"]))

    def _count(self, more: int) -> None:
        self._open += more
        self._there.set(self._open)


def _measures() -> tuple[Any, Any, Any]:
    """What Prometheus is told: solves by how they ended, their steps, and jobs that are there."""
    from ray.util.metrics import Counter, Gauge

    return (
        Counter("ddeq_solves", "Solves that have ended.", ("outcome",)),
        Counter("ddeq_steps", "Steps of solves that have ended."),
        Gauge("ddeq_jobs", "Jobs that are solved or wait."),
    )
