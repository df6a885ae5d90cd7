"""Which solver reaches the equilibrium of the paper's flow with the fewest network evaluations.

The reference is the paper's flow run until it rests: Euler steps from ``gamma = 5`` that halve
every 100 steps. Each solver starts from the same particles, is stopped where ``G / G_0`` has fallen
to a tolerance, and is compared to where the reference ends: class, spread and Wasserstein distance.
The reference from another seed says how well that place is determined at all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ddeq.evaluation.classification import flows
from ddeq.input.labelled import Labelled
from ddeq.metrics.particles import spread
from ddeq.metrics.transport import w2
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.settings import Limits, RunSettings
from ddeq.solve.kernels import Continued, Kernel, Riesz
from ddeq.solve.objective import Objective
from ddeq.solve.solvers import (
    LBFGS,
    Anderson,
    Armijo,
    Broyden,
    Euler,
    EulerDecay,
    EulerPower,
    Frozen,
    Majorise,
    Momentum,
    Nesterov,
    Normalised,
    Picard,
    Polyak,
    Solver,
)

TOLERANCE = 1e-3
REFERENCE = RunSettings(EulerDecay(5.0, 100.0, 0.0), Riesz(), Limits(steps=1000, tolerance=1e-4))


def _to_tolerance(solver: Solver, steps: int, kernel: Kernel | None = None) -> RunSettings:
    return RunSettings(solver, kernel or Riesz(), Limits(steps=steps, tolerance=TOLERANCE))


CANDIDATES = {
    "euler": _to_tolerance(Euler(), 200),
    "euler-decay": _to_tolerance(EulerDecay(5.0, 50.0, 0.0), 500),
    "euler-power": _to_tolerance(EulerPower(), 200),
    "normalised": _to_tolerance(Normalised(), 200),
    "polyak": _to_tolerance(Polyak(), 200),
    "armijo": _to_tolerance(Armijo(), 60),
    "momentum": _to_tolerance(Momentum(3.0, 0.8, 25.0, 0.0), 200),
    "nesterov": _to_tolerance(Nesterov(), 200),
    "l-bfgs": _to_tolerance(LBFGS(), 120),
    "l-bfgs, continued": _to_tolerance(LBFGS(), 120, Continued(eps=5.0, fade=10.0)),
    "frozen": _to_tolerance(Frozen(), 100),
    "majorise, 1 inner": _to_tolerance(Majorise(1), 100),
    "majorise": _to_tolerance(Majorise(), 100),
    "picard": _to_tolerance(Picard(), 100),
    "anderson": _to_tolerance(Anderson(), 100),
    "broyden": _to_tolerance(Broyden(), 100),
}


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the solves of ``K`` clouds ended.

    Attributes:
        particles: ``(K, N, d)``.
        predicted: class index, ``(K,)``.
        relative_objective: ``(T, K)`` after every step; a stopped cloud's last one is repeated.
        evaluations: network evaluations so far, ``(T, K)`` likewise.
        spread: ``(K,)``.
        seconds: of all solves.
    """

    particles: Tensor
    predicted: Tensor
    relative_objective: Tensor
    evaluations: Tensor
    spread: Tensor
    seconds: float

    def cost(self, level: float) -> Tensor:
        """Evaluations at which ``G / G_0`` first was at or below a level, ``(K,)``; else inf."""
        there = self.relative_objective <= level  # (T, K)
        first = there.int().argmax(0, keepdim=True)  # (1, K)
        evaluations = self.evaluations.gather(0, first)[0].double()
        return torch.where(there.any(0), evaluations, torch.inf)

    def curve(self) -> list[tuple[int, float]]:
        """Evaluations, and the median over clouds of ``G / G_0`` that they bought."""
        most = int(self.evaluations.max())
        points = sorted({round(n) for n in np.geomspace(1, most, 60)})
        # A cloud's record after n evaluations is the last that cost no more.
        rows = [(self.evaluations <= n).sum(0, keepdim=True) - 1 for n in points]  # (1, K) each
        medians = [float(self.relative_objective.gather(0, row).median()) for row in rows]
        return list(zip(points, medians, strict=True))


@torch.no_grad()
def solve(
    checkpoint: Checkpoint,
    data: Labelled,
    settings: RunSettings,
    device: torch.device | str = "cpu",
) -> Ends:
    """Solve every cloud, keeping what each step cost and reached."""
    began, parts, order = time.perf_counter(), [], []
    steps = settings.limits.steps
    for index, flow in flows(checkpoint, data, settings, device):
        path = [(step.relative_objective, step.evaluations) for step in flow]
        relative, evaluations = (torch.stack(column).cpu() for column in zip(*path, strict=True))
        end = flow.solution.particles
        order.append(index)
        parts.append(
            (
                end.cpu(),
                checkpoint.model.logits(end).argmax(1).cpu(),
                _lengthened(relative, steps + 1),
                _lengthened(evaluations, steps + 1),
                spread(end).cpu(),
            )
        )
    back = torch.from_numpy(np.argsort(np.concatenate(order)))
    particles, predicted, relatives, spent, spreads = zip(*parts, strict=True)
    return Ends(
        torch.cat(particles)[back],
        torch.cat(predicted)[back],
        torch.cat(relatives, 1)[:, back],
        torch.cat(spent, 1)[:, back],
        torch.cat(spreads)[back],
        time.perf_counter() - began,
    )


def _lengthened(rows: Tensor, length: int) -> Tensor:
    """``(T, K)`` with its last row repeated, ``(length, K)``."""
    return torch.cat([rows, rows[-1:].expand(length - len(rows), -1)])


def compare(
    checkpoint: Checkpoint,
    data: Labelled,
    candidates: Mapping[str, RunSettings],
    device: torch.device | str = "cpu",
) -> dict:
    """The table of the reference and all candidates, each solved from two seeds."""
    rows, reference = {}, None
    for name, settings in {"reference": REFERENCE, **candidates}.items():
        ends = solve(checkpoint, data, settings, device)
        limits = replace(settings.limits, seed=settings.limits.seed + 1)
        again = solve(checkpoint, data, replace(settings, limits=limits), device)
        reference = reference or ends
        rows[name] = {**_row(ends, settings, reference, data), "other_seed": _apart(again, ends)}
    return {
        "digits": len(data.labels),
        "tolerance": TOLERANCE,
        "cost_of_a_gradient": gradient_cost(checkpoint, data, device),
        "solvers": rows,
    }


def _apart(a: Ends, b: Ends) -> dict:
    """How far two ends of the same clouds differ, distances in units of the spread of ``b``."""
    pairs = zip(a.particles.numpy(), b.particles.numpy(), strict=True)
    distance = np.array([w2(*pair) for pair in pairs]) / b.spread.numpy()
    return {
        "same_class": float((a.predicted == b.predicted).double().mean()),
        "wasserstein": float(np.median(distance)),
        "wasserstein_90": float(np.quantile(distance, 0.9)),
    }


def _row(ends: Ends, settings: RunSettings, reference: Ends, data: Labelled) -> dict:
    cost = ends.cost(TOLERANCE)
    saved = reference.cost(TOLERANCE) / cost  # nan where neither arrived: nothing saved
    labels = torch.from_numpy(data.labels)
    return {
        "gradient": settings.solver.needs_velocity,
        "arrived": float(cost.isfinite().double().mean()),
        "evaluations": _finite(cost.quantile(0.5, interpolation="lower")),
        "evaluations_taken": float(ends.evaluations[-1].double().median()),
        "times_fewer": _finite(saved.nan_to_num(0, torch.inf, 0).median()),
        "seconds": ends.seconds,
        "relative_objective": float(ends.relative_objective[-1].median()),
        "spread": float(ends.spread.median()),
        "smallest_spread": float(ends.spread.min()),
        "accuracy": float((ends.predicted == labels).double().mean()),
        **_apart(ends, reference),
        "curve": ends.curve(),
        "settings": settings.to_dict(),
    }


def _finite(number: Tensor) -> float | None:
    """None where more than half of the digits did not arrive."""
    return float(number) if number.isfinite() else None


def gradient_cost(
    checkpoint: Checkpoint, data: Labelled, device: torch.device | str = "cpu", repeats: int = 20
) -> float:
    """Time of an evaluation with the gradient over one without, one batch, the best of several."""
    first = replace(data, clouds=data.clouds[:64], labels=data.labels[:64])
    [(_, flow)] = flows(checkpoint, first, REFERENCE, device)
    objective: Objective = flow.objective

    def best(velocity: bool) -> float:
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            float(objective(flow.z0, velocity).objective.sum())
            times.append(time.perf_counter() - began)
        return min(times)

    return best(True) / best(False)
