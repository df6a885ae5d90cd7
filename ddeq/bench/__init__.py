"""How fast things are, each against what it is to be compared with, measured in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from ddeq.bench import digits, growth, objects
from ddeq.formats import bench as reading

BENCHES: dict[str, Callable[[torch.device | str, int, int], dict]] = {
    "digits": digits.bench,
    "objects": objects.bench,
    "reading": lambda device, steps, repeats: reading.bench(repeats=repeats),
    "growth": lambda device, steps, repeats: growth.bench(device, repeats),  # one step at a time
}
USUAL = ("digits", "objects")


def bench(
    names: Sequence[str] = USUAL,
    device: torch.device | str = "cpu",
    steps: int = 200,
    repeats: int = 5,
) -> dict:
    """The named benches, out of ``BENCHES``: steps of one solve, repeats of each measurement."""
    machine = {"device": str(device), "threads": torch.get_num_threads()}
    return machine | {name: BENCHES[name](device, steps, repeats) for name in names}
