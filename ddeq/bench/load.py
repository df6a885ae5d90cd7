"""Many people at once: sessions that all solve at the same time, in turns, as the app's do.

Every result is compared with that of the same solve alone, to the last bit.
"""

from __future__ import annotations

import gc
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import torch

from ddeq.bench.timing import resident_megabytes
from ddeq.engine.turns import Turns, allowed
from ddeq.engine.work import Work
from ddeq.input.clouds import PointCloud
from ddeq.input.gallery import load_gallery, load_objects
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.classification import ClassifierRun, Frame
from ddeq.run.settings import with_defaults

DIGITS, OBJECTS = 5, 2  # solves of a session


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
    """

    wish: Wish
    first: float
    end: float
    right: bool | None


def bench(sessions: int = 50, device: torch.device | str = "cpu") -> dict:
    """Let that many sessions solve five digits and two objects each, all at the same time.

    Args:
        sessions: how many, from 1.
        device: where they solve.
    """
    make = maker(device)
    wishes = [wishes_of(k) for k in range(sessions)]
    alone = {wish: _alone(make(wish)) for wish in dict.fromkeys(chain.from_iterable(wishes))}
    gc.collect()
    before, began = resident_megabytes(), time.perf_counter()
    turns, seen = Turns(allowed()), list[Seen]()
    peak = before
    threads = [
        threading.Thread(target=lambda own=own: seen.extend(_session(own, make, alone, turns)))
        for own in wishes
    ]
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
        "sessions": sessions,
        "at_once": allowed(),
        **told(seen, asked),
        "solves_per_second": len(seen) / took,
        "megabytes": {"before": before, "peak": peak, "after": resident_megabytes()},
    }


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


def maker(device: torch.device | str) -> Callable[[Wish], ClassifierRun]:
    """What makes the run of a wish; models are loaded once."""
    models = {name: load(name, device) for name in ("digits", "objects")}
    digits, objects = load_gallery(), load_objects()

    @cache
    def cloud(wish: Wish) -> PointCloud:
        if wish.model == "digits":
            return digits.cloud(wish.index % len(digits.labels))
        return objects.cloud(wish.index % len(objects))

    def make(wish: Wish) -> ClassifierRun:
        checkpoint: Checkpoint = models[wish.model]
        points = prepare(cloud(wish), checkpoint.card)
        return ClassifierRun(checkpoint, points, with_defaults(checkpoint.card, {}), device)

    return make


def _alone(run: ClassifierRun) -> np.ndarray:
    for _ in run:
        pass
    return run.last.particles


def _session(
    wishes: Sequence[Wish],
    make: Callable[[Wish], ClassifierRun],
    alone: dict[Wish, np.ndarray],
    turns: Turns,
) -> list[Seen]:
    """One wish after the other; one that fails has no result, and the others go on."""
    return [_solved(wish, make, alone[wish], turns) for wish in wishes]


def _solved(
    wish: Wish, make: Callable[[Wish], ClassifierRun], right: np.ndarray, turns: Turns
) -> Seen:
    began = time.perf_counter()
    first, frames = float("nan"), list[Frame]()
    try:
        work = Work(make(wish), turns=turns)
        while not work.done:
            work.round()
            if work.items and not frames:
                first = time.perf_counter() - began
            frames = work.items
    except Exception:  # whatever it is: it is counted
        return Seen(wish, first, time.perf_counter() - began, None)
    end = time.perf_counter() - began
    return Seen(wish, first, end, np.array_equal(frames[-1].particles, right))
