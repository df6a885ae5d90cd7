"""Step rules: how far to go along a path."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers.interface import Problem
from ddeq.solve.solvers.parts import Length, Path, StepRule, inner_product

SUFFICIENT = 1e-4
SHRINK = 0.5


class Ahead(StepRule):
    """A rule that knows the length of a step before it has been anywhere."""

    @abstractmethod
    def length(self, here: Evaluation, k: int, problem: Problem) -> Length:
        """Of step ``k`` (from 0)."""

    def walk(
        self, path: Path, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor, Length, Any]:
        t = self.length(here, k, problem)
        return path.at(t), t, state


@dataclass(frozen=True)
class Constant(Ahead):
    """Always the same."""

    size: float

    def length(self, here: Evaluation, k: int, problem: Problem) -> float:
        return self.size


@dataclass(frozen=True)
class Geometric(Ahead):
    """``size 2^(-k / half_life)``, never below ``floor``."""

    size: float
    half_life: float
    floor: float

    def at(self, k: int) -> float:
        """The length of step ``k``, which depends on nothing else."""
        return max(self.floor, self.size * 0.5 ** (k / self.half_life))

    def length(self, here: Evaluation, k: int, problem: Problem) -> float:
        return self.at(k)


@dataclass(frozen=True)
class Power(Ahead):
    """``size (1 + k / delay)^-power``."""

    size: float
    delay: float
    power: float

    def length(self, here: Evaluation, k: int, problem: Problem) -> float:
        return self.size * (1 + k / self.delay) ** -self.power


@dataclass(frozen=True)
class Normalised(Ahead):
    """So far that a step along the velocity is as long as ``decay`` says, in ``L^2(mu)``."""

    decay: Geometric
    needs_velocity = True

    def length(self, here: Evaluation, k: int, problem: Problem) -> Tensor:
        square = _speed_squared(here, problem)
        return self.decay.at(k) / square.clamp_min(torch.finfo(square.dtype).tiny).sqrt()


@dataclass(frozen=True)
class Polyak(Ahead):
    """``aim G / |v|^2``, at most ``longest``: to where ``G`` were 0 if it were linear."""

    aim: float
    longest: float
    needs_velocity = True

    def length(self, here: Evaluation, k: int, problem: Problem) -> Tensor:
        square = _speed_squared(here, problem)
        tiny = torch.finfo(square.dtype).tiny
        return (self.aim * here.objective / square.clamp_min(tiny)).clamp(0, self.longest)


def _speed_squared(here: Evaluation, problem: Problem) -> Tensor:
    """``|v|^2`` in ``L^2(mu)``, ``(B,)``."""
    return inner_product(here.downhill, here.downhill, problem.mass(here.particles))


@dataclass(frozen=True)
class Backtracking(StepRule):
    """The first of ``trials`` lengths, each half of the one before, that leads downhill enough.

    Attributes:
        longest: the first length to try.
        trials: the most to try in one step.
        warm: whether a step first tries twice the length that the last one took, if that is
            shorter.
    """

    longest: float
    trials: int
    warm: bool = True
    needs_velocity = True

    def start(self, z0: Tensor) -> Tensor:
        """The first length to try, ``(B,)``."""
        return z0.new_full((len(z0),), self.longest)

    def walk(
        self, path: Path, here: Evaluation, k: int, state: Tensor, problem: Problem
    ) -> tuple[Evaluation, Tensor, Tensor]:
        there, t = backtrack(problem, here, path, state, self.trials)
        return there, t, (t / SHRINK).clamp_max(self.longest) if self.warm else state


def backtrack(
    problem: Problem, here: Evaluation, path: Path, first: Tensor, trials: int
) -> tuple[Evaluation, Tensor]:
    """Halve the step of each cloud until its objective has fallen enough.

    Enough is ``G(z(t)) <= G(z) + 1e-4 t dG/dt``. The last trial is taken as it is: the energy
    distance has kinks, where the velocity need not lead downhill, and a short step leaves them.

    Args:
        problem: counts the trials of each cloud, one at least.
        here: where the search begins, with its velocity.
        path: that is searched.
        first: the first length to try, ``(B,)``.
        trials: the most lengths to try.

    Returns:
        The evaluation of the particles arrived at, and the length ``t (B,)``.

    Source: Armijo 1966, https://doi.org/10.2140/pjm.1966.16.1.
    """
    mass = problem.mass(here.particles)
    slope = -inner_product(here.downhill, path.tangent, mass)  # (B,) dG/dt
    t, searching = first, problem.running
    there = problem.evaluate(path.at(t), here, hand_back=True)
    for _ in range(trials - 1):
        enough = there.objective <= here.objective + SUFFICIENT * t * slope  # False for nan
        searching = searching & ~enough
        if not searching.any():
            break
        t = torch.where(searching, SHRINK * t, t)
        there = problem.evaluate(path.at(t), there, searching, hand_back=True)
    return there, t
