"""Explicit Euler steps along the velocity, by several rules for how long a step is."""

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
class Euler:
    """Explicit Euler with a constant step: the paper's solver (gamma = 5).

    With the energy distance it cannot arrive: the kernel's gradient does not shrink near the
    target, so particles end up chattering at a distance proportional to the step.
    """

    step_size: float = step_size(5.0)
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, float, None]:
        return here.particles + self.step_size * here.velocity, self.step_size, None


@dataclass(frozen=True)
class EulerDecay:
    """Explicit Euler with a geometrically decaying step, the plainest cure for chattering.

    With objectives that are sharp at their minimum, as here, subgradient steps that decay
    geometrically, and not too fast, converge geometrically.

    Source: Goffin 1977, https://doi.org/10.1007/BF01584346.
    """

    step_size: float = step_size(5.0)
    half_life: float = half_life(20.0)
    floor: float = floor(0.01)
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, float, None]:
        gamma = decayed(self.step_size, self.half_life, self.floor, k)
        return here.particles + gamma * here.velocity, gamma, None


@dataclass(frozen=True)
class EulerPower:
    """Explicit Euler with steps ``gamma_0 (1 + k / delay)^-p``.

    For ``p`` up to 1 the steps add up to any distance, so no start is too far away.

    Source: Robbins and Monro 1951, https://doi.org/10.1214/aoms/1177729586.
    """

    step_size: float = step_size(5.0)
    delay: float = setting(20.0, 1, 1000, "Steps before the step size falls noticeably.")
    power: float = setting(1.0, 0.1, 2, "How fast the step size falls; up to 1 it gets anywhere.")
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, float, None]:
        gamma = self.step_size * (1 + k / self.delay) ** -self.power
        return here.particles + gamma * here.velocity, gamma, None


@dataclass(frozen=True)
class Normalised:
    """Steps of a given length, ``gamma_k v / |v|`` with the norm of ``L^2(mu)``, decaying.

    Source: Shor 1985, *Minimization Methods for Non-Differentiable Functions*, chapter 2,
    https://doi.org/10.1007/978-3-642-82118-9.
    """

    length: float = setting(5.0, 0.001, 20, "How far particles move in the first step, on average.")
    half_life: float = half_life(15.0)
    floor: float = floor(0.01)
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, Tensor, None]:
        length = decayed(self.length, self.half_life, self.floor, k)
        square = inner_product(here.velocity, here.velocity, problem.mass(here.particles))  # (B,)
        gamma = length / square.clamp_min(torch.finfo(square.dtype).tiny).sqrt()
        return here.particles + per_cloud(gamma) * here.velocity, gamma, None


@dataclass(frozen=True)
class Polyak:
    """Polyak's step ``gamma = a (G - G*) / |v|^2``, with ``G* = 0`` at a fixed point.

    Along the velocity ``G`` falls by ``|v|^2`` a unit of time, so this step would arrive if ``G``
    were linear; it is long far away and short nearby, without a schedule.

    Source: Polyak 1969, https://doi.org/10.1016/0041-5553(69)90035-5.
    """

    aim: float = setting(1.0, 0.05, 1.95, "Which part of the way to objective 0 a step aims at.")
    longest: float = setting(20.0, 0.01, 100, "No step size is larger than this.")
    needs_velocity = True

    def start(self, z0: Tensor) -> None:
        return None

    def step(
        self, here: Evaluation, k: int, state: None, problem: Problem
    ) -> tuple[Tensor, Tensor, None]:
        square = inner_product(here.velocity, here.velocity, problem.mass(here.particles))  # (B,)
        tiny = torch.finfo(square.dtype).tiny
        gamma = (self.aim * here.objective / square.clamp_min(tiny)).clamp(0, self.longest)
        return here.particles + per_cloud(gamma) * here.velocity, gamma, None
