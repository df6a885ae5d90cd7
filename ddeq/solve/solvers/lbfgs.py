"""A quasi-Newton method on the objective."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddeq.solve.objective import Evaluation
from ddeq.solve.solvers.interface import Problem, inner_product, per_cloud, step_size, window
from ddeq.solve.solvers.line_search import backtrack, trials

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
class LBFGS:
    """Limited-memory BFGS with a backtracking line search, in the inner product of ``L^2(mu)``.

    Source: Liu and Nocedal 1989 (the two-loop recursion), https://doi.org/10.1007/BF01589116;
    on functions with kinks Lewis and Overton 2013, https://doi.org/10.1007/s10107-012-0514-2.
    """

    window: int = window(10)
    step_size: float = step_size(5.0)
    trials: int = trials(10)
    needs_velocity = True

    def start(self, z0: Tensor) -> State:
        return State((), z0.new_full((len(z0),), self.step_size))

    def step(
        self, here: Evaluation, k: int, state: State, problem: Problem
    ) -> tuple[Evaluation, Tensor, State]:
        mass, scale = problem.mass(here.particles), state.scale
        direction = quasi_newton(here.velocity, state.pairs, scale, mass)  # (B, N, d)
        downhill = inner_product(direction, here.velocity, mass) > 0
        steepest = per_cloud(scale) * here.velocity
        direction = torch.where(per_cloud(downhill), direction, steepest)
        there, t = backtrack(problem, here, direction, torch.ones_like(scale), self.trials)
        # Both ends by the kernel of this step: a pair of two kernels would tell of neither.
        pair, newest = _pair(here, there, mass)
        pairs = (*state.pairs, pair)[-int(self.window) :]
        return there, t, State(pairs, torch.where(pair.rho > 0, newest, scale))


def _pair(here: Evaluation, there: Evaluation, mass: Tensor) -> tuple[Pair, Tensor]:
    """The newest pair, and the scale ``<s, y> / <y, y>`` of the inverse Hessian, ``(B,)``."""
    s = there.particles - here.particles
    y = here.velocity - there.velocity  # the gradient is minus the velocity
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
