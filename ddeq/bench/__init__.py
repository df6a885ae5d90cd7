"""How fast things are, each beside what it is to be compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ddeq.bench import arrival, digits, growth, objects, start, threads
from ddeq.bench import reading as reading
from ddeq.bench.against import bench as compare
from ddeq.threads import most

BENCHES: dict[str, Callable[[torch.device | str, int, int], dict]] = {
    "digits": digits.bench,
    "arrival": lambda device, steps, repeats: arrival.bench(device, repeats),  # as many as needed
    "objects": objects.bench,
    "reading": lambda device, steps, repeats: reading.bench(repeats=repeats),
    "start": lambda device, steps, repeats: start.bench(repeats),
    "growth": lambda device, steps, repeats: growth.bench(device, repeats),  # one step at a time
    "threads": lambda device, steps, repeats: threads.bench(steps, repeats),  # a matter of CPUs
}
USUAL = ("digits", "arrival", "objects")


def bench(
    names: Sequence[str] = USUAL,
    device: torch.device | str = "cpu",
    steps: int = 200,
    repeats: int = 5,
    against: Path | None = None,
) -> dict:
    """Measure, all in one run.

    Args:
        names: of benches, out of ``BENCHES``.
        device: where to measure.
        steps: of one solve.
        repeats: of each measurement.
        against: a folder of other code to compare with, see :mod:`ddeq.bench.against`.
    """
    result = {"device": str(device), "threads": most()}
    result |= {name: BENCHES[name](device, steps, repeats) for name in names}
    if against is None:
        return result | {"against": "skipped: no folder was given"}
    return result | {"against": compare(against, device, steps, repeats)}
