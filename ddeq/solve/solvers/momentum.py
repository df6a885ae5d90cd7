"""Steps with inertia."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.fields import floor, half_life, step_size
from ddeq.solve.solvers.interface import MOMENTUM, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Straight, inner_product, per_cloud


@dataclass(frozen=True)
class HeavyBall(Direction):
    """``m <- beta m + v``, from ``m = 0``.

    Source: Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5.
    """

    beta: float

    def start(self, z0: Tensor) -> Tensor:
        return torch.zeros_like(z0)

    def look(self, here: Evaluation, state: Tensor, problem: Problem) -> tuple[Straight, Tensor]:
        moving = self.beta * state + here.downhill  # (B, N, d)
        return Straight(here.particles, moving), moving


@SOLVERS.register("momentum", MOMENTUM, "Steps downhill with inertia, getting shorter.")
@dataclass(frozen=True)
class Momentum(Named):
    """Heavy ball, ``m <- beta m + v; z <- z + gamma_k m``, with a decaying step.

    Source: Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5.
    """

    step_size: float = step_size(3.0)
    momentum: float = setting(0.8, 0, 0.99, "How much of the last move is kept; 0 is plain Euler.")
    half_life: float = half_life(10.0)
    floor: float = floor(0.01)

    @property
    def solver(self) -> Along:
        decay = rules.Geometric(self.step_size, self.half_life, self.floor)
        return Along(HeavyBall(self.momentum), decay)


class Extrapolated(Direction):
    """Downhill to ``x``, and on by ``t/(t+3)`` of the way from the ``x`` before.

    A cloud that moves against its velocity loses its inertia, ``t = 0``.

    Source: Nesterov 1983, http://mi.mathnet.ru/dan46009; O'Donoghue and Candes 2015 (the gradient
    scheme), https://arxiv.org/abs/1204.3982.
    """

    def start(self, z0: Tensor) -> tuple[Tensor, Tensor]:
        """The last ``x (B, N, d)``, and the steps since a restart ``(B,)``."""
        return z0, z0.new_zeros(len(z0))

    def look(
        self, here: Evaluation, state: tuple[Tensor, Tensor], problem: Problem
    ) -> tuple[Straight, tuple[Tensor, Tensor]]:
        return Straight(here.particles, here.downhill), state

    def settle(
        self,
        here: Evaluation,
        to: Tensor | Evaluation,
        state: tuple[Tensor, Tensor],
        problem: Problem,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        before, since = state
        x = to.particles if isinstance(to, Evaluation) else to  # (B, N, d)
        uphill = inner_product(here.downhill, x - before, problem.mass(x)) < 0
        since = torch.where(uphill, 0.0, since)
        beta = per_cloud(since / (since + 3))
        return x + beta * (x - before), (x, since + 1)


@SOLVERS.register(
    "nesterov",
    MOMENTUM,
    "Steps downhill that look ahead, and lose their inertia when it leads uphill.",
)
@dataclass(frozen=True)
class Nesterov(Named):
    """Nesterov's acceleration, started again whenever it would go uphill.

    With the flow's particles ``y``: ``x <- y + gamma_k v(y); y <- x + t/(t+3) (x - x_before)``,
    see :class:`Extrapolated`.
    """

    step_size: float = step_size(6.0)
    half_life: float = half_life(15.0)
    floor: float = floor(0.002)

    @property
    def solver(self) -> Along:
        return Along(Extrapolated(), rules.Geometric(self.step_size, self.half_life, self.floor))
