"""Chapter 1: maps of a number to a number, iterated by the solver of the real models."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.solvers import Picard

CENTRE = 0.4
"""Where :class:`Line` meets the diagonal."""

NEAR = 1e-3
"""An iteration has settled where one more step moves it less than this."""


@dataclass(frozen=True)
class Line:
    """``F(x) = c + s (x - c)`` with ``c = 0.4``, its fixed point for every slope but 1."""

    slope: float

    def __call__(self, x: Tensor) -> Tensor:
        return CENTRE + self.slope * (x - CENTRE)


@dataclass(frozen=True)
class Neuron:
    """``F(x) = tanh(s x + 0.2)``: one neuron that feeds itself, so it cannot fly away."""

    slope: float

    def __call__(self, x: Tensor) -> Tensor:
        return torch.tanh(self.slope * x + 0.2)


MAPS: dict[str, type[Line] | type[Neuron]] = {"line": Line, "neuron": Neuron}


@dataclass(frozen=True)
class Walk:
    """One iteration ``x <- (1 - a) x + a F(x)``.

    Attributes:
        x: ``x_0, x_1, ...``, all of them.
        settled: whether the last step moved less than :data:`NEAR`.
        slope: of ``F`` where the walk ended.
        rate: of the iteration there, ``1 - a + a F'``: each step multiplies the distance to the
            fixed point by it.
    """

    x: tuple[float, ...]
    settled: bool
    slope: float
    rate: float

    @property
    def end(self) -> float:
        return self.x[-1]

    @property
    def steps(self) -> int:
        """Steps until one moved less than :data:`NEAR`, or all of them."""
        moves = [abs(b - a) for a, b in zip(self.x, self.x[1:], strict=False)]
        return next((k for k, move in enumerate(moves) if move < NEAR), len(moves))

    @property
    def ending(self) -> str:
        """``settles``, ``escapes``, or ``repeats`` for ever."""
        if self.settled:
            return "settles"
        return "escapes" if not abs(self.end) < 10 else "repeats"


def walk(f: Line | Neuron, x0: float, damping: float = 1.0, steps: int = 200) -> Walk:
    """Iterate a map with :class:`ddeq.solve.solvers.Picard`, as the digit classifier does.

    Args:
        f: the map.
        x0: where to start.
        damping: ``a``; 1 jumps to ``F(x)``, less goes only part of the way.
        steps: how many.
    """
    z0 = torch.tensor([[[x0]]], dtype=torch.float64)  # (1, 1, 1): one cloud, one particle, 1-D
    stop = StopRule(steps, tolerance=-1.0)  # at a fixed point it goes on
    flow = Flow(f, z0, solver=Picard(damping), stop=stop, velocity=False)
    x = []
    for step in flow:
        x.append(float(step.particles))
        if not abs(x[-1]) < 1e6:
            break
    end = torch.tensor(x[-1], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(f(end), end)
    settled = len(x) > 1 and abs(x[-1] - x[-2]) < NEAR
    return Walk(tuple(x), settled, float(slope), 1 - damping + damping * float(slope))


def halving_steps(rate: float) -> float:
    """Steps in which the distance to a fixed point halves; infinite where it does not shrink."""
    if abs(rate) >= 1:
        return math.inf
    return 0.0 if rate == 0 else math.log(0.5) / math.log(abs(rate))
