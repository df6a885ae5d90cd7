"""Many people at once: sessions that all solve at the same time, here or by an engine elsewhere.

Every result is compared with that of the same solve alone in this process: to the last bit where
they take turns in it, to :data:`NEAR` where another machine may have computed them.
"""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import torch

from ddeq.bench.timing import resident_megabytes
from ddeq.engine import Job, Request
from ddeq.engine.local import LocalJob
from ddeq.engine.ray_serve import Place, start, stop
from ddeq.engine.remote import RemoteJob, engine_address
from ddeq.engine.turns import Turns, allowed
from ddeq.input.gallery import load_gallery, load_objects

DIGITS, OBJECTS = 5, 2  # solves of a session
ENGINES = ("in-process", "ray")
NEAR = 1e-4  # of probabilities
PORT = 8127  # of a service that is started for the bench


@dataclass(frozen=True)
class Wish:
    """One solve that a session asks for: sample number ``index`` of a model's gallery."""

    model: str
    index: int


@dataclass(frozen=True)
class Seen:
    """What a session saw of one solve.

    Attributes:
        wish: what it asked for.
        first, end: seconds until its first frame and until its last.
        right: whether the result is that of the solve alone; None where there was none.
        size: bytes that came.
    """

    wish: Wish
    first: float
    end: float
    right: bool | None
    size: int = 0


def bench(
    sessions: int = 50, device: torch.device | str = "cpu", engine: str = "in-process"
) -> dict:
    """Let that many sessions solve five digits and two objects each, all at the same time.

    Args:
        sessions: how many, from 1.
        device: where they solve, in this process.
        engine: out of :data:`ENGINES`. A service of Ray is that of ``DDEQ_ENGINE``, or is started
            with a copy for each solve that :func:`ddeq.engine.turns.allowed` allows at once;
            memory is that of this process nevertheless.
    """
    ask = asker()
    wishes = [wishes_of(k) for k in range(sessions)]
    alone = {
        wish: _probabilities(_ended(LocalJob(ask(wish), device)))
        for wish in dict.fromkeys(chain.from_iterable(wishes))
    }
    near = 0.0 if engine == "in-process" else NEAR
    with _beginner(engine, device) as begin:
        gc.collect()
        before, began = resident_megabytes(), time.perf_counter()
        seen, peak = list[Seen](), before

        def session(own: Sequence[Wish]) -> None:
            """One wish after the other; one that fails is counted, and the others go on."""
            for wish in own:
                seen.append(_solved(wish, lambda: begin(ask(wish)), alone[wish], near))  # noqa: B023

        threads = [threading.Thread(target=session, args=(own,)) for own in wishes]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            threads[-1].join(0.1)
            peak = max(peak, resident_megabytes())
            threads = [thread for thread in threads if thread.is_alive()] or threads[-1:]
        took = time.perf_counter() - began
    gc.collect()
    asked = sum(len(own) for own in wishes)
    return {
        "engine": engine,
        "sessions": sessions,
        "at_once": allowed(),
        **told(seen, asked),
        "solves_per_second": len(seen) / took,
        "kilobytes_a_solve": statistics.mean(one.size for one in seen) / 1000,
        "megabytes": {"before": before, "peak": peak, "after": resident_megabytes()},
    }


@contextmanager
def _beginner(engine: str, device: torch.device | str) -> Iterator[Callable[[Request], Job]]:
    """What has an engine take on a request, for as long as it is there."""
    if engine == "in-process":
        turns = Turns(allowed())
        yield lambda request: LocalJob(request, device, turns)
        return
    if address := engine_address():
        yield lambda request: RemoteJob(request, address)
        return
    place = Place(port=PORT, replicas=allowed())
    start(place)
    try:
        yield lambda request: RemoteJob(request, f"http://{place.host}:{place.port}")
    finally:
        stop()


def told(seen: Sequence[Seen], asked: int) -> dict:
    """What came of so many solves that were asked for."""
    times = {"first_frame": [one.first for one in seen], "end": [one.end for one in seen]}
    return {
        "solves": asked,
        "lost": asked - sum(one.right is not None for one in seen),
        "mixed_up": sum(one.right is False for one in seen),
        "seconds": {name: _spread_of(found) for name, found in times.items() if found},
    }


def _spread_of(found: Sequence[float]) -> dict[str, float]:
    return {
        "median": statistics.median(found),
        "percentile_95": float(np.percentile(found, 95)),
        "most": max(found),
    }


def wishes_of(session: int) -> list[Wish]:
    """What a session asks for: no two that follow one another ask for the same."""
    digits = [Wish("digits", DIGITS * session + k) for k in range(DIGITS)]
    return [*digits, *(Wish("objects", OBJECTS * session + k) for k in range(OBJECTS))]


def asker() -> Callable[[Wish], Request]:
    """What makes a request of a wish; clouds are read once."""
    digits, objects = load_gallery(), load_objects()

    @cache
    def ask(wish: Wish) -> Request:
        if wish.model == "digits":
            cloud = digits.cloud(wish.index % len(digits.labels))
        else:
            cloud = objects.cloud(wish.index % len(objects))
        return Request.of(wish.model, cloud.points)

    return ask


def _ended(job: Job) -> dict[str, Any]:
    """What came of a job at last."""
    for _ in job:
        pass
    return job.outcome or {}


def _probabilities(outcome: dict[str, Any]) -> np.ndarray:
    return np.array(list(outcome["probabilities"].values()))


def _solved(wish: Wish, begin: Callable[[], Job], right: np.ndarray, near: float) -> Seen:
    began = time.perf_counter()
    first, size = float("nan"), 0
    try:
        job = begin()
        for chunk in job:
            if chunk and not size:
                first = time.perf_counter() - began
            size += len(chunk)
        found = _probabilities(job.outcome or {})
    except Exception:  # whatever it is: it is counted
        return Seen(wish, first, time.perf_counter() - began, None, size)
    end = time.perf_counter() - began
    return Seen(wish, first, end, bool(np.abs(found - right).max() <= near), size)
