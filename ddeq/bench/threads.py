"""From which size on several threads pay: a step of the shipped digit classifier, on the CPU."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import torch

from ddeq.bench.digits import POINTS, euler
from ddeq.bench.timing import milliseconds
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.operator import OperatorConfig
from ddeq.run.flows import flow_of
from ddeq.threads import count_for, most

SIZES = ((1, 10), (1, 64), (1, 128), (1, 256), (1, 512), (1, 1024), (8, 10), (32, 10), (64, 10))


def bench(steps: int = 200, repeats: int = 5, sizes: Sequence[tuple[int, int]] = SIZES) -> dict:
    """Milliseconds a step with one thread, with half of the threads allowed, and with all.

    Args:
        steps: of the smallest size; larger ones are timed over fewer.
        repeats: of every measurement, taking turns.
        sizes: clouds and particles of each.

    Returns:
        By size, ``ms`` by number of threads, and ``chosen``, the number that a solve takes.
    """
    counts = sorted({1, max(1, most() // 2), most()})
    torch.manual_seed(0)
    model = Classifier(ClassifierConfig(OperatorConfig(heads=8))).eval().requires_grad_(False)
    before = torch.get_num_threads()
    try:
        return {
            f"{clouds} x {particles}": {
                "ms": _measure(_step(model, clouds, particles), counts, steps, repeats, size),
                "chosen": count_for(size),
            }
            for clouds, particles in sizes
            if (size := clouds * particles)
        }
    finally:
        torch.set_num_threads(before)


def _step(model: Classifier, clouds: int, particles: int) -> Callable[[], object]:
    """One evaluation with its velocity, of random clouds of a digit's size."""
    x = torch.randn(clouds, POINTS, 2)
    flow = flow_of(model.encode(x), model.start(range(clouds), particles), euler(1))
    return lambda: flow.objective(flow.z0)


def _measure(
    step: Callable[[], object], counts: Sequence[int], steps: int, repeats: int, size: int
) -> dict[str, float]:
    times = max(1, steps * 10 // max(10, size))
    spent: dict[int, list[float]] = {count: [] for count in counts}

    def work() -> None:
        for _ in range(times):
            step()

    step()  # warm up
    for _ in range(repeats):
        for count in counts:
            torch.set_num_threads(count)
            spent[count].append(milliseconds(work) / times)
    return {str(count): statistics.median(taken) for count, taken in spent.items()}
