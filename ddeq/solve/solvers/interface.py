"""What every solver looks like, and what it may ask of the problem it solves."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from ddeq.settings import setting
from ddeq.solve.kernels import Kernel, kernel_at
from ddeq.solve.objective import Evaluation, Objective


class Problem:
    """The objective of one batch, as the flow and its solver share it during a solve.

    Attributes:
        running: ``(B,)`` bool, clouds that are still being solved.
        evaluations: ``(B,)`` int, network evaluations that each cloud has asked for.
        step: number of the current step, for kernels that change on the way.
    """

    def __init__(self, objective: Objective, z0: Tensor) -> None:
        self._objective = objective
        self.running = torch.ones(len(z0), dtype=torch.bool, device=z0.device)
        self.evaluations = torch.zeros(len(z0), dtype=torch.long, device=z0.device)
        self.step = 0

    @property
    def kernel(self) -> Kernel:
        """Whose velocity is followed at this step."""
        return kernel_at(self._objective.kernel, self.step)

    def mass(self, z: Tensor) -> Tensor:
        """Of each particle, ``(B, N)``, see :meth:`ddeq.solve.objective.Objective.mass`."""
        return self._objective.mass(z)

    def evaluate(
        self,
        z: Tensor,
        asking: Tensor | None = None,
        velocity: bool = True,
        hand_back: bool = False,
    ) -> Evaluation:
        """The objective at ``z (B, N, d)``.

        Args:
            z: where.
            asking: ``(B,)`` bool, those of the running clouds that are charged for it; None is all.
            velocity: whether it is wanted, by the kernel of this step.
            hand_back: whether the solver will return it in place of the next particles, where it is
                to have the velocity by the kernel of the next step.
        """
        asking = self.running if asking is None else self.running & asking
        self.evaluations = self.evaluations + asking
        after = kernel_at(self._objective.kernel, self.step + 1)
        later = after if hand_back and after != self.kernel else None
        return self._objective(z, velocity, kernel=self.kernel, later=later)


class Solver(Protocol):
    """The interface of every solver."""

    needs_velocity: bool

    def start(self, z0: Tensor) -> Any:
        """State before the first step from particles ``z0 (B, N, d)``."""

    def step(
        self, here: Evaluation, k: int, state: Any, problem: Problem
    ) -> tuple[Tensor | Evaluation, float | Tensor, Any]:
        """Step ``k`` (from 0) of every cloud of the batch, each by itself.

        Returns:
            The next particles ``(B, N, d)``, or their evaluation where the solver has made one to
            hand back; the step size taken, a number or ``(B,)``; and the state after the step.
        """


def step_size(default: float) -> Any:
    return setting(default, 0.001, 20, "How far each particle moves along its velocity.")


def half_life(default: float) -> Any:
    return setting(default, 1, 1000, "After this many steps the step size has halved.")


def floor(default: float) -> Any:
    return setting(default, 0, 5, "The step size never decays below this.")


def window(default: int) -> Any:
    return setting(default, 2, 20, "How many past steps are combined.")


def inner(default: int) -> Any:
    return setting(default, 1, 100, "Moves towards the same images before the network is asked.")


def decayed(step_size: float, half_life: float, floor: float, k: int) -> float:
    """Geometric decay ``step_size * 2^(-k / half_life)``, never below ``floor``."""
    return max(floor, step_size * 0.5 ** (k / half_life))


def per_cloud(numbers: Tensor) -> Tensor:
    """``(B,) -> (B, 1, 1)``, to multiply particles with."""
    return numbers[:, None, None]


def inner_product(u: Tensor, v: Tensor, mass: Tensor) -> Tensor:
    """``<u, v>`` in ``L^2(mu)`` of two fields ``(B, N, d)`` with mass ``(B, N)``: ``(B,)``."""
    return (mass * (u * v).sum(2)).sum(1)
