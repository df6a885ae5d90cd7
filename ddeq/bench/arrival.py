"""Digits: how long the shipped classifier takes to bring the objective to a hundredth."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddeq.bench.digits import naive_flow
from ddeq.bench.timing import milliseconds
from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate
from ddeq.model.checkpoints import Checkpoint, load
from ddeq.run.flows import flow_of
from ddeq.run.settings import RunSettings, with_defaults
from ddeq.solve.clock import wait
from ddeq.solve.flow import StopRule
from ddeq.solve.solvers import EulerDecay
from ddeq.solve.solvers.rules import Geometric

TOLERANCE = 1e-2
STEPS = 500
NAIVE_UP_TO = 100  # particles; with 1,000 the naive way takes seconds a step, as "digits" tells
FLOW = EulerDecay(5.0, 50.0, 0.0)  # with steps of one size the paper's flow stays above a hundredth
SIZES = {"batch_1": (1, 10), "batch_64": (64, 10), "particles_1000": (1, 1000)}


@dataclass(frozen=True)
class _Way:
    """One way to solve: does it, and says how many evaluations it took and which share arrived."""

    solve: Callable[[], tuple[int, float]]
    repeats: int


def bench(device: torch.device | str = "cpu", repeats: int = 5) -> dict:
    """Milliseconds from encoding on, by size: the card's solver, the paper's flow, the naive way.

    The naive way takes the paper's flow's steps (:func:`ddeq.bench.digits.naive_flow`) and is
    measured once, as it is slow, and with many particles not at all.
    """
    checkpoint = load("digits", device)
    return {name: _measure(checkpoint, *size, device, repeats) for name, size in SIZES.items()}


def _measure(
    checkpoint: Checkpoint, batch: int, particles: int, device: torch.device | str, repeats: int
) -> dict:
    gallery = load_gallery()
    every = len(gallery.labels) // batch  # digits of all classes
    clouds = [prepare(gallery.cloud(every * i), checkpoint.card) for i in range(batch)]
    x, mask = (t.to(device) for t in collate(clouds))  # (B, M, 2), (B, M)
    z0 = checkpoint.model.start(range(batch), particles)  # (B, N, d)
    usual = with_defaults(checkpoint.card, {})
    ways = {
        "default": _Way(lambda: _solve(checkpoint, x, mask, z0, usual), repeats),
        "flow": _Way(lambda: _solve(checkpoint, x, mask, z0, replace(usual, solver=FLOW)), repeats),
        "naive": _Way(lambda: _naive(checkpoint, x, mask, z0), 1),
    }
    if particles > NAIVE_UP_TO:
        del ways["naive"]
    return {name: _time(way, device) for name, way in ways.items()}


def _time(way: _Way, device: torch.device | str) -> dict:
    results: list[tuple[int, float]] = []

    def work() -> None:
        results.append(way.solve())
        wait(device)

    if way.repeats > 1:
        work()  # warm up
    spent = statistics.median(milliseconds(work) for _ in range(way.repeats))
    evaluations, arrived = results[-1]
    return {"ms": spent, "evaluations": evaluations, "arrived": arrived}


@torch.no_grad()
def _solve(
    checkpoint: Checkpoint, x: Tensor, mask: Tensor, z0: Tensor, settings: RunSettings
) -> tuple[int, float]:
    limits = replace(settings.limits, steps=STEPS, tolerance=TOLERANCE)
    settings = replace(settings, limits=limits)
    end = flow_of(checkpoint.model.encode(x, mask), z0, settings, velocity=False).run()
    arrived = (end.relative_objective <= TOLERANCE).double().mean()
    return int(end.evaluations.max()), float(arrived)


def _naive(checkpoint: Checkpoint, x: Tensor, mask: Tensor, z0: Tensor) -> tuple[int, float]:
    model = copy.deepcopy(checkpoint.model).requires_grad_(True)
    sizes = Geometric(FLOW.step_size, FLOW.half_life, FLOW.floor).at
    taken = naive_flow(model, x, z0, StopRule(STEPS, TOLERANCE), mask, sizes)
    return 2 * taken, float(taken < STEPS)
