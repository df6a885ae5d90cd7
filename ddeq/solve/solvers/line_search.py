"""Steps whose length is found by trying."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers.interface import Problem, inner_product, per_cloud, step_size

SUFFICIENT = 1e-4
SHRINK = 0.5


def trials(default: int) -> int:
    return setting(default, 1, 30, "Lengths to try in one step, each half of the one before.")


def backtrack(
    problem: Problem, here: Evaluation, direction: Tensor, first: Tensor, trials: int
) -> tuple[Evaluation, Tensor]:
    """Halve the step of each cloud until its objective has fallen enough.

    Enough is ``G(z + t p) <= G(z) + 1e-4 t dG/dt``. The last trial is taken as it is: the energy
    distance has kinks, where the velocity need not lead downhill, and a short step leaves them.

    Args:
        problem: counts the trials of each cloud, one at least.
        here: where the search begins, with its velocity.
        direction: ``p (B, N, d)``.
        first: the first length to try, ``(B,)``.
        trials: the most lengths to try.

    Returns:
        The evaluation of the particles arrived at, and the length ``t (B,)``.

    Source: Armijo 1966, https://doi.org/10.2140/pjm.1966.16.1.
    """
    slope = -inner_product(here.velocity, direction, problem.mass(here.particles))  # (B,) dG/dt
    t, searching = first, problem.running
    there = problem.evaluate(here.particles + per_cloud(t) * direction, hand_back=True)
    for _ in range(trials - 1):
        enough = there.objective <= here.objective + SUFFICIENT * t * slope  # False for nan
        searching = searching & ~enough
        if not searching.any():
            break
        t = torch.where(searching, SHRINK * t, t)
        trial = here.particles + per_cloud(t) * direction
        there = problem.evaluate(trial, searching, hand_back=True)
    return there, t


@dataclass(frozen=True)
class Armijo:
    """Euler with a backtracking line search: no step that raises the objective, if it can.

    Each step first tries twice the length that the last one took.

    Source: Armijo 1966, https://doi.org/10.2140/pjm.1966.16.1.
    """

    step_size: float = step_size(10.0)
    trials: int = trials(10)
    needs_velocity = True

    def start(self, z0: Tensor) -> Tensor:
        """The first length to try, ``(B,)``."""
        return z0.new_full((len(z0),), self.step_size)

    def step(
        self, here: Evaluation, k: int, state: Tensor, problem: Problem
    ) -> tuple[Evaluation, Tensor, Tensor]:
        there, t = backtrack(problem, here, here.velocity, state, self.trials)
        return there, t, (t / SHRINK).clamp_max(self.step_size)
