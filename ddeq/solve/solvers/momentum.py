"""Steps with inertia."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers.interface import (
    Problem,
    decayed,
    floor,
    half_life,
    inner_product,
    per_cloud,
    step_size,
)


@dataclass(frozen=True)
class Momentum:
    """Heavy ball, ``m <- beta m + v; z <- z + gamma_k m``, with a decaying step.

    Source: Polyak 1964, https://doi.org/10.1016/0041-5553(64)90137-5.
    """

    step_size: float = step_size(3.0)
    momentum: float = setting(0.8, 0, 0.99, "How much of the last move is kept; 0 is plain Euler.")
    half_life: float = half_life(10.0)
    floor: float = floor(0.01)
    needs_velocity = True

    def start(self, z0: Tensor) -> Tensor:
        return torch.zeros_like(z0)

    def step(
        self, here: Evaluation, k: int, state: Tensor, problem: Problem
    ) -> tuple[Tensor, float, Tensor]:
        moving = self.momentum * state + here.velocity  # (B, N, d)
        gamma = decayed(self.step_size, self.half_life, self.floor, k)
        return here.particles + gamma * moving, gamma, moving


@dataclass(frozen=True)
class Nesterov:
    """Nesterov's acceleration, started again whenever it would go uphill.

    With the flow's particles ``y``: ``x <- y + gamma_k v(y); y <- x + t/(t+3) (x - x_before)``.
    A cloud that moves against its velocity loses its inertia, ``t = 0``.

    Source: Nesterov 1983, http://mi.mathnet.ru/dan46009; O'Donoghue and Candes 2015 (the gradient
    scheme), https://arxiv.org/abs/1204.3982.
    """

    step_size: float = step_size(6.0)
    half_life: float = half_life(15.0)
    floor: float = floor(0.002)
    needs_velocity = True

    def start(self, z0: Tensor) -> tuple[Tensor, Tensor]:
        """The last ``x (B, N, d)``, and the steps since a restart ``(B,)``."""
        return z0, z0.new_zeros(len(z0))

    def step(
        self, here: Evaluation, k: int, state: tuple[Tensor, Tensor], problem: Problem
    ) -> tuple[Tensor, float, tuple[Tensor, Tensor]]:
        before, since = state
        gamma = decayed(self.step_size, self.half_life, self.floor, k)
        x = here.particles + gamma * here.velocity  # (B, N, d)
        uphill = inner_product(here.velocity, x - before, problem.mass(x)) < 0
        since = torch.where(uphill, 0.0, since)
        beta = per_cloud(since / (since + 3))
        return x + beta * (x - before), gamma, (x, since + 1)
