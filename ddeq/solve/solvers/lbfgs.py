"""A quasi-Newton method on the objective."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers import rules
from ddeq.solve.solvers.fields import step_size, trials, window
from ddeq.solve.solvers.interface import QUASI_NEWTON, SOLVERS, Named, Problem
from ddeq.solve.solvers.parts import Along, Direction, Straight, inner_product, per_cloud

CURVATURE = 1e-8  # pairs with less, relative to |s| |y|, are left out


@dataclass(frozen=True)
class Pair:
    """What one step taught each cloud: a move and how the gradient changed along it.

    Attributes:
        s, y: ``(B, N, d)``.
        rho: ``1 / <s, y>``, ``(B,)``; 0 where the curvature was not positive: no lesson.
    """

    s: Tensor
    y: Tensor
    rho: Tensor


@dataclass(frozen=True)
class State:
    """The last pairs, and the scale of the inverse Hessian, at first a step's length, ``(B,)``."""

    pairs: tuple[Pair, ...]
    scale: Tensor


@dataclass(frozen=True)
class QuasiNewton(Direction):
    """The inverse Hessian, as far as the last ``window`` steps tell it, times the velocity.

    Everything is in the inner product of ``L^2(mu)``.

    Source: Liu and Nocedal 1989 (the two-loop recursion), https://doi.org/10.1007/BF01589116.
    """

    window: int
    scale: float

    def start(self, z0: Tensor) -> State:
        return State((), z0.new_full((len(z0),), self.scale))

    def look(self, here: Evaluation, state: State, problem: Problem) -> tuple[Straight, State]:
        mass = problem.mass(here.particles)
        direction = quasi_newton(here.downhill, state.pairs, state.scale, mass)  # (B, N, d)
        downhill = inner_product(direction, here.downhill, mass) > 0
        steepest = per_cloud(state.scale) * here.downhill
        direction = torch.where(per_cloud(downhill), direction, steepest)
        return Straight(here.particles, direction), state

    def settle(
        self, here: Evaluation, to: Tensor | Evaluation, state: State, problem: Problem
    ) -> tuple[Evaluation, State]:
        there = to if isinstance(to, Evaluation) else problem.evaluate(to, here, hand_back=True)
        # Both ends by the kernel of this step: a pair of two kernels would tell of neither.
        pair, newest = _pair(here, there, problem.mass(here.particles))
        pairs = (*state.pairs, pair)[-int(self.window) :]
        return there, State(pairs, torch.where(pair.rho > 0, newest, state.scale))


@SOLVERS.register(
    "l-bfgs", QUASI_NEWTON, "Steps that learn from the last few how the objective bends."
)
@dataclass(frozen=True)
class LBFGS(Named):
    """Limited-memory BFGS with a backtracking line search, in the inner product of ``L^2(mu)``.

    Source: Liu and Nocedal 1989, https://doi.org/10.1007/BF01589116; on functions with kinks Lewis
    and Overton 2013, https://doi.org/10.1007/s10107-012-0514-2.
    """

    window: int = window(10)
    step_size: float = step_size(5.0)
    trials: int = trials(10)

    @property
    def solver(self) -> Along:
        search = rules.Backtracking(1.0, self.trials, warm=False)
        return Along(QuasiNewton(self.window, self.step_size), search)


def _pair(here: Evaluation, there: Evaluation, mass: Tensor) -> tuple[Pair, Tensor]:
    """The newest pair, and the scale ``<s, y> / <y, y>`` of the inverse Hessian, ``(B,)``."""
    s = there.particles - here.particles
    y = here.downhill - there.downhill  # the gradient is minus the velocity
    sy, ss, yy = (inner_product(*uv, mass) for uv in ((s, y), (s, s), (y, y)))
    curved = sy > CURVATURE * (ss * yy).sqrt()
    return Pair(s, y, torch.where(curved, 1 / sy, 0.0)), sy / yy


def quasi_newton(v: Tensor, pairs: tuple[Pair, ...], scale: Tensor, mass: Tensor) -> Tensor:
    """The inverse Hessian's estimate times the velocity ``v (B, N, d)``."""
    alphas = []
    for pair in reversed(pairs):
        alphas.append(pair.rho * inner_product(pair.s, v, mass))  # (B,)
        v = v - per_cloud(alphas[-1]) * pair.y
    v = per_cloud(scale) * v
    for pair, alpha in zip(pairs, reversed(alphas), strict=True):
        beta = pair.rho * inner_product(pair.y, v, mass)
        v = v + per_cloud(alpha - beta) * pair.s
    return v
