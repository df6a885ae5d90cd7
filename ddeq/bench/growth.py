"""How the cost of a completion grows with its free particles, all pairs against slices."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from ddeq.bench.digits import completion, euler
from ddeq.bench.objects import COMPLETER, KNOWN
from ddeq.bench.timing import milliseconds, peak_megabytes
from ddeq.solve.clock import wait
from ddeq.solve.kernels import Kernel, Riesz, SlicedRiesz, discrepancy
from ddeq.threads import enough_for

SIZES = (256, 512, 1024, 2048, 4096)


def bench(
    device: torch.device | str = "cpu", repeats: int = 5, sizes: Sequence[int] = SIZES
) -> dict:
    """Exact and sliced steps beside 512 known points, one step at a time.

    Args:
        device: where to measure.
        repeats: of every measurement.
        sizes: numbers of free particles, growing.

    Returns:
        By size, ``ms_per_step`` (network and discrepancy), ``ms_discrepancy`` (its part) and
        ``peak_mb`` of either kernel, and the error of the sliced gradient ``|sliced - exact| /
        |exact|`` in the particles' start; the smallest size from which on a sliced step is faster.
    """
    rows = [_measure(size, device, repeats) for size in sizes]
    slower = [i for i, row in enumerate(rows) if not _wins(row)]
    first = slower[-1] + 1 if slower else 0
    return {
        "known": KNOWN,
        "projections": SlicedRiesz().projections,
        "sizes": {str(size): row for size, row in zip(sizes, rows, strict=True)},
        "sliced_faster_from": sizes[first] if first < len(sizes) else None,
    }


def _wins(row: dict) -> bool:
    return row["sliced"]["ms_per_step"] < row["exact"]["ms_per_step"]


def _measure(free: int, device: torch.device | str, repeats: int) -> dict:
    begin = completion(COMPLETER, KNOWN, free, device)
    works = {name: _works(begin, kernel) for name, kernel in _KERNELS.items()}
    found: dict[str, dict[str, float | None]] = {name: {} for name in works}
    for name, (step, _) in works.items():  # the first call warms up, too
        found[name]["peak_mb"] = peak_megabytes(step, device)
    for part, column in ((0, "ms_per_step"), (1, "ms_discrepancy")):
        spent: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(repeats):  # taking turns, so that a slow moment hurts both
            for name in works:
                spent[name].append(milliseconds(works[name][part]))
        for name in works:
            found[name][column] = statistics.median(spent[name])
    return {**found, "gradient_error": _gradient_error(begin)}


_KERNELS: dict[str, Kernel] = {"exact": Riesz(), "sliced": SlicedRiesz()}


def _works(begin: Callable, kernel: Kernel) -> tuple[Callable[[], None], Callable[[], None]]:
    """One whole evaluation with its velocity, and the discrepancy in it alone."""
    flow = begin(replace(euler(1), kernel=kernel))
    here = flow.objective(flow.z0)
    mass = flow.objective.mass(flow.z0)

    def step() -> None:
        with enough_for(flow.size):
            flow.objective(flow.z0)
        wait(flow.z0.device)

    def alone() -> None:
        with enough_for(flow.size):
            discrepancy(here.particles, here.image, mass, mass, kernel)
        wait(flow.z0.device)

    return step, alone


def _gradient_error(begin: Callable) -> float:
    flow = begin(euler(1))
    here = flow.objective(flow.z0, velocity=False)
    mass = flow.objective.mass(flow.z0)
    exact, sliced = (
        discrepancy(here.particles, here.image, mass, mass, kernel).grad_a
        for kernel in _KERNELS.values()
    )
    return float((sliced - exact).norm() / exact.norm())
