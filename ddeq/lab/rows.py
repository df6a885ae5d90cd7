"""Many settings in one batch: every cloud of it has a solver and a kernel of its own.

The network is evaluated once for all of them; what is left to each is cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from ddeq.model.classifier import Classifier
from ddeq.model.operator import Context
from ddeq.solve.kernels import Interaction, Kernel
from ddeq.solve.objective import Evaluation, Objective, arrived
from ddeq.solve.solvers import Problem, Solver

Operator = Callable[[Tensor], Tensor]


def operator_of(model: Classifier, x: Tensor) -> Operator:
    """``F(., x)`` of one input ``x (1, M, d_x)``, encoded once, for a batch of any size."""
    context = model.operator.encode(x)
    return lambda z: model.operator(z, _repeated(context, len(z)))


def _repeated(context: Context, count: int) -> Context:
    """The context of one input for a batch of clouds, without copying it."""
    expand = partial(_expanded, count=count)
    keys, values = (tuple(map(expand, part)) for part in (context.keys, context.values))
    return replace(context, bilinear=expand(context.bilinear), keys=keys, values=values)


def _expanded(t: Tensor, count: int) -> Tensor:
    return t.expand(count, *t.shape[1:])


@dataclass(frozen=True)
class RowKernel:
    """The kernel of each cloud of a batch."""

    kernels: tuple[Kernel, ...]

    def at(self, step: int) -> RowKernel:
        return RowKernel(tuple(kernel.at(step) for kernel in self.kernels))

    def after(self, steps: int) -> RowKernel:
        return RowKernel(tuple(kernel.after(steps) for kernel in self.kernels))

    def interaction(self, p: Tensor, c: Tensor) -> Interaction:
        found = [kernel.interaction(*parts) for kernel, parts in self._runs(p, c)]
        return Interaction(*map(torch.cat, zip(*found, strict=True)))

    def pull(self, z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
        return torch.cat([kernel.pull(*parts) for kernel, parts in self._runs(z, target, mass)])

    def stiffness(self, z: Tensor, target: Tensor, mass: Tensor) -> Tensor:
        runs = self._runs(z, target, mass)
        return torch.cat([kernel.stiffness(*parts) for kernel, parts in runs])

    def _runs(self, *tensors: Tensor) -> Iterator[tuple[Kernel, tuple[Tensor, ...]]]:
        """Each kernel, with those clouds of a batch ``(B, ...)`` that it is the kernel of."""
        runs = [(kernel, len(list(run))) for kernel, run in groupby(self.kernels)]
        parts = zip(*(t.split([count for _, count in runs]) for t in tensors), strict=True)
        return zip((kernel for kernel, _ in runs), parts, strict=True)


@dataclass(frozen=True)
class RowSolver:
    """The solver of each cloud of a batch, all of one kind.

    Attributes:
        solvers, kernels: one a cloud.
        operator: ``F`` for a batch of any size, see :func:`operator_of`.
    """

    solvers: tuple[Solver, ...]
    kernels: tuple[Kernel, ...]
    operator: Operator

    @property
    def needs_velocity(self) -> bool:
        return any(solver.needs_velocity for solver in self.solvers)

    def start(self, z0: Tensor) -> list[Any]:
        return [solver.start(z) for solver, z in zip(self.solvers, z0.split(1), strict=True)]

    def step(
        self, here: Evaluation, k: int, state: list[Any], problem: Problem
    ) -> tuple[Tensor | Evaluation, Tensor, list[Any]]:
        to, gammas, states, asked = [], [], [], []
        for row, (solver, kernel) in enumerate(zip(self.solvers, self.kernels, strict=True)):
            alone = _row_of(here, row)
            mine = Problem(Objective(self.operator, kernel), alone.particles)
            mine.running, mine.step = problem.running[row : row + 1], problem.step
            there, gamma, after = solver.step(alone, k, state[row], mine)
            to.append(there)
            gammas.append(torch.as_tensor(gamma).to(here.objective).reshape(1))
            states.append(after)
            asked.append(mine.evaluations)
        problem.evaluations = problem.evaluations + torch.cat(asked)
        return _stacked(to), torch.cat(gammas), states


def _row_of(here: Evaluation, row: int) -> Evaluation:
    part = slice(row, row + 1)
    velocity = None if here.velocity is None else here.velocity[part]
    return Evaluation(
        here.particles[part], here.image[part], here.objective[part], velocity, here.rounding[part]
    )


def _stacked(rows: Sequence[Tensor | Evaluation]) -> Tensor | Evaluation:
    """One batch of clouds that all came back as particles, or all evaluated."""
    if isinstance(rows[0], Tensor):
        return torch.cat([row for row in rows if isinstance(row, Tensor)])
    there = [arrived(row) for row in rows if isinstance(row, Evaluation)]
    velocity = None if there[0].velocity is None else torch.cat([row.downhill for row in there])
    parts = {name: torch.cat([getattr(row, name) for row in there]) for name in _PARTS}
    return Evaluation(**parts, velocity=velocity)


_PARTS = ("particles", "image", "objective", "rounding")
