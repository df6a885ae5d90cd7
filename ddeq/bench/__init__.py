"""How fast things are, each beside what it is to be compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ddeq.bench import arrival, batch, digits, growth, load, objects, start, threads
from ddeq.bench import reading as reading
from ddeq.bench.against import bench as compare
from ddeq.threads import most


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        device: where.
        steps: of one solve, where they are not as many as it needs.
        repeats: of each measurement.
        sessions: that solve at the same time.
        engine: by which they do, out of :data:`ddeq.bench.load.ENGINES`.
    """

    device: torch.device | str = "cpu"
    steps: int = 200
    repeats: int = 5
    sessions: int = 50
    engine: str = "in-process"


BENCHES: dict[str, Callable[[Sizes], dict]] = {
    "digits": lambda of: digits.bench(of.device, of.steps, of.repeats),
    "arrival": lambda of: arrival.bench(of.device, of.repeats),
    "batch": lambda of: batch.bench(of.device),
    "objects": lambda of: objects.bench(of.device, of.steps, of.repeats),
    "reading": lambda of: reading.bench(repeats=of.repeats),
    "start": lambda of: start.bench(of.repeats),
    "growth": lambda of: growth.bench(of.device, of.repeats),
    "threads": lambda of: threads.bench(of.steps, of.repeats),
    "load": lambda of: load.bench(of.sessions, of.device, of.engine),
}
USUAL = ("digits", "arrival", "objects")


def bench(
    names: Sequence[str] = USUAL, sizes: Sizes | None = None, against: Path | None = None
) -> dict:
    """Measure, all in one run.

    Args:
        names: of benches, out of ``BENCHES``.
        sizes: how much; None is the usual.
        against: a folder of other code to compare with, see :mod:`ddeq.bench.against`.
    """
    sizes = sizes or Sizes()
    result = {"device": str(sizes.device), "threads": most()}
    result |= {name: BENCHES[name](sizes) for name in names}
    if against is None:
        return result | {"against": "skipped: no folder was given"}
    return result | {"against": compare(against, sizes.device, sizes.steps, sizes.repeats)}
